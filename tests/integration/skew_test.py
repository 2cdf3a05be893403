"""Version skew: pages of one version stay complete while their users move to another (docs/routing.md).

The browser of this test does what a real one does as far as it matters here: cookies with their attributes, the fields
Sec-Fetch-Mode and Sec-Fetch-Dest, the files of a page in parallel, and the chunks of a tab that is open for long.
"""
import concurrent.futures
import os
import re
import shutil
import sys
import unittest

from harness import HERE, GrayTest, eventually, merged, two_versions

TABS = 20
LINKS = [("style", r'href="([^"]+\.css)"'), ("font", r'href="([^"]+\.woff2)"'), ("script", r'src="([^"]+\.js)"'),
         ("image", r'src="([^"]+\.svg)"')]
TYPES = {"style": "text/css", "font": "font/woff2", "script": "text/javascript", "image": "image/svg+xml"}


def app(*flags):
    return {"command": [sys.executable, os.path.join(HERE, "workers", "app.py"), *flags], "ready": ["pipe"]}


def apps(*flags, **changes):
    return merged(two_versions(version={"v1": app(*flags), "v2": app(*flags)}), changes)


class Browser:
    """One user's browser: a cookie jar. `ask` is a function like Grayd.get."""

    def __init__(self, ask, **cookies):
        self.ask, self.jar = ask, dict(cookies)

    def load(self, path, mode, destination):
        headers = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        response = self.ask(path, headers=headers)
        for value in [value for name, value in response.fields if name == "set-cookie"]:
            self.keep(value)
        return response

    def keep(self, cookie):
        pair, *attributes = cookie.split("; ")
        name, value = pair.split("=", 1)
        if "Secure" in attributes:  # the test speaks plain HTTP
            return
        if "Max-Age=0" in attributes:
            self.jar.pop(name, None)
        else:
            self.jar[name] = value

    def open(self, path="/"):
        return Tab(self, path)


class Tab:
    """A page that was opened: the version of its document, and every file that it did not get."""

    def __init__(self, browser, path):
        self.browser, self.failed = browser, []
        document = browser.load(path, "navigate", "document")
        self.version = re.search(r"<title>(\w+)</title>", document.text)[1]
        files = [(kind, link) for kind, pattern in LINKS for link in re.findall(pattern, document.text)]
        for kind, link in files:
            self.fetch(kind, link)

    def fetch(self, kind, link):
        response = self.browser.load(link, "no-cors" if kind == "image" else "cors", kind)
        whole = response.status == 200 and response["content-type"] == TYPES[kind] and response.complete
        if not whole or f"of {self.version} " not in response.text:
            self.failed.append((link, response.status, response["x-gray-version"]))

    def load_chunk(self, number):
        self.fetch("script", f"/assets/chunk{number}-{self.version}.js")


class Skew(GrayTest):
    """Pages and open tabs; `failures` is everything that a user would notice."""

    def named_version(self, grayd):
        browser = Browser(grayd.get)
        tab = browser.open("/?version=v2")
        self.assertEqual(tab.version, "v2")
        tab.load_chunk(0)
        return tab.failed

    def open_tabs(self, grayd):
        """Tabs that are open while users move to v2 and back and v1 is restarted."""
        browsers = [Browser(grayd.get, uid=str(user)) for user in range(TABS)]
        tabs, chunk = [], 0

        def all_tabs(action):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                return list(pool.map(action, tabs))

        for weight in ("20", "50", "0"):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                tabs += pool.map(Browser.open, browsers)
            self.assertEqual(grayd.ctl("shift", "web", "v2", weight).code, 0)
            all_tabs(lambda tab, number=chunk: tab.load_chunk(number))
            chunk += 1
        restarted = grayd.ctl("restart", "web", "v1", timeout=60)
        self.assertEqual(restarted.code, 0, restarted)
        all_tabs(lambda tab: tab.load_chunk(chunk))
        self.assertEqual({tab.version for tab in tabs}, {"v1", "v2"})
        return [failure for tab in tabs for failure in tab.failed]

    def started(self, *flags, **changes):
        grayd = self.start(apps(*flags, **changes))
        grayd.wait_healthy(1, "v1", "v2")
        return grayd

    def check_complete(self, *flags):
        grayd = self.started(*flags)
        self.assertEqual(self.named_version(grayd), [])
        self.assertEqual(self.open_tabs(grayd), [])
        for version in ("v1", "v2"):
            counted = grayd.version(version)
            self.assertEqual((counted["errors"], counted["retries"]), (0, 0))
        return grayd

    def test_pages_stay_complete_where_unknown_paths_are_404(self):
        self.check_complete()

    def test_pages_stay_complete_where_unknown_paths_are_index_html(self):
        self.check_complete("--fallback")

    def test_without_pin_and_retry_the_same_pages_break(self):
        for flags in ((), ("--fallback",)):
            grayd = self.started(*flags, pin=False, asset_retry=False)
            self.assertNotEqual(self.named_version(grayd), [])
            self.assertNotEqual(self.open_tabs(grayd), [])

    def test_without_the_retry_a_pin_alone_keeps_a_named_version_complete(self):
        grayd = self.started("--fallback", asset_retry=False)
        self.assertEqual(self.named_version(grayd), [])

    def test_without_the_pin_the_retry_alone_completes_a_page(self):
        grayd = self.started("--fallback", pin=False)
        self.assertEqual(self.named_version(grayd), [])


class Pin(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(apps())

    def browse(self, **cookies):
        return Browser(self.shared.get, **cookies)

    def test_a_version_stays_named_until_the_empty_parameter(self):
        browser = self.browse()
        browser.open("/?version=v2")
        self.assertEqual(browser.jar, {"version": "v2"})
        self.assertEqual(browser.open("/").version, "v2")
        self.assertEqual(browser.open("/?version=v1").version, "v1")
        self.assertEqual(browser.jar, {"version": "v1"})
        browser.open("/?version=v2")
        self.assertEqual(browser.open("/?version=").version, "v1")
        self.assertEqual(browser.jar, {})

    def test_only_the_navigation_of_a_browser_pins(self):
        self.assertIsNone(self.shared.get("/?version=v2")["set-cookie"])
        for mode in ("cors", "no-cors", "same-origin"):
            self.assertIsNone(self.shared.get("/?version=v2", headers={"Sec-Fetch-Mode": mode})["set-cookie"])
        navigates = {"Sec-Fetch-Mode": "navigate"}
        self.assertEqual(self.shared.get("/?version=v2", headers=navigates)["set-cookie"],
                         "version=v2; Path=/; SameSite=Lax")
        self.assertIsNone(self.shared.get("/?version=v9", headers=navigates)["set-cookie"])
        self.assertIsNone(self.shared.get("/", headers=navigates)["set-cookie"])


class Assets(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(apps(assets=["/assets"]))

    def get(self, path, destination="script", **headers):
        return self.shared.get(path, headers={**({"Sec-Fetch-Dest": destination} if destination else {}), **headers})

    def requests_at(self, version, path):
        return int(self.shared.get(f"/count?{path}", headers={"X-Version": version}).text)

    def test_the_version_that_has_it_answers_and_is_named(self):
        response = self.get("/assets/main-v2.js")
        self.assertEqual((response.status, response["x-gray-version"], response["x-gray-decision"]),
                         (200, "v2", "asset"))

    def test_a_path_of_assets_needs_no_field_of_a_browser(self):
        self.assertEqual(self.get("/assets/main-v2.js", None)["x-gray-version"], "v2")
        self.assertEqual(self.get("/logo-v2.svg", None).status, 404)
        self.assertEqual(self.get("/logo-v2.svg", "image").status, 200)

    def test_a_version_that_is_named_is_asked_first_and_others_then(self):
        response = self.get("/assets/chunk1-v1.js", Cookie="version=v2")
        self.assertEqual((response.status, response["x-gray-version"]), (200, "v1"))
        self.assertEqual(self.requests_at("v2", "/assets/chunk1-v1.js"), 1)

    def test_what_no_version_has_gets_the_first_answer_and_each_is_asked_once(self):
        response = self.get("/assets/gone.js", Cookie="version=v2")
        self.assertEqual((response.status, response["x-gray-version"], response["x-gray-decision"]),
                         (404, "v2", "cookie"))
        self.assertEqual(response.text, "v2 has no /assets/gone.js\n")
        for version in ("v1", "v2"):
            self.assertEqual(self.requests_at(version, "/assets/gone.js"), 1)

    def test_a_page_and_an_api_keep_their_404(self):
        self.assertEqual(self.get("/gone", "document").status, 404)
        self.assertEqual(self.get("/gone", "empty").status, 404)
        self.assertEqual(self.requests_at("v2", "/gone"), 0)

    def test_the_log_and_the_metrics_name_it(self):
        self.get("/assets/chunk2-v2.js")
        self.get("/assets/absent.js")

        def logged(path):
            lines = [line for line in self.shared.access_log() if line["path"] == path]
            return lines[0] if lines else None
        line = eventually(lambda: logged("/assets/chunk2-v2.js"))
        self.assertEqual((line["version"], line["decision"], line["asked_first"]), ("v2", "asset", "v1"))
        line = eventually(lambda: logged("/assets/absent.js"))
        self.assertEqual((line["version"], line["decision"], line["asked_first"]), ("v1", "stable", "v1"))
        metrics = self.shared.ctl("metrics").out
        for version in ("v1", "v2"):
            found = re.search(rf'grayd_asset_retries_total{{service="web",version="{version}"}} (\d+)', metrics)
            self.assertGreater(int(found[1]), 0, metrics)


class Attributes(GrayTest):
    """Cookies behind a proxy that uses TLS, and Via."""

    @classmethod
    def setUpClass(cls):
        web = apps(identity=["issue:gid"], via=False, cookie_same_site="none", cookie_partitioned=True)
        cls.start_shared(web, router={"trusted_proxies": ["127.0.0.0/8"]})

    def cookies(self, proto):
        response = self.shared.get("/?version=v2", headers={"X-Forwarded-Proto": proto, "Sec-Fetch-Mode": "navigate"})
        return [re.sub(r"=[0-9a-f]{32};", "=ID;", value) for name, value in response.fields if name == "set-cookie"]

    def test_cookies_are_secure_if_the_client_uses_https(self):
        self.assertEqual(self.cookies("https"), [
            "gid=ID; Path=/; Max-Age=31536000; SameSite=None; HttpOnly; Secure; Partitioned",
            "version=v2; Path=/; SameSite=None; Secure; Partitioned"])

    def test_without_https_they_have_nothing_that_needs_secure(self):
        self.assertEqual(self.cookies("http"), ["gid=ID; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
                                                "version=v2; Path=/; SameSite=Lax"])

    def test_workers_see_no_via(self):
        self.assertEqual(self.shared.get("/via", headers={"Via": "1.1 front"}).text, "None")


NGINX = """
daemon off; worker_processes 1; pid PREFIX.pid; error_log stderr;
events {}
http {
  access_log off; gzip on; gzip_min_length 1; gzip_types text/plain; ACCEPT
  client_body_temp_path PREFIX.body; proxy_temp_path PREFIX.proxy; fastcgi_temp_path PREFIX.fastcgi;
  uwsgi_temp_path PREFIX.uwsgi; scgi_temp_path PREFIX.scgi;
  server {
    listen 127.0.0.1:LISTEN;
    location / { default_type text/plain; return 200 "a text that nginx may compress"; }
  }
}
"""


@unittest.skipUnless(shutil.which("nginx"), "nginx is not installed")
class Gzip(GrayTest):
    """nginx does not compress answers to requests with Via, unless gzip_proxied says so (docs/workers.md)."""

    def encoding(self, accept="", **changes):
        config = NGINX.replace("ACCEPT", accept).replace("LISTEN", "$PORT").replace("PREFIX", "$PWD/$PORT")
        shell = f"cat >$PORT.conf <<END\n{config}\nEND\nexec nginx -e stderr -c \"$PWD/$PORT.conf\""
        version = {"command": ["sh", "-c", shell], "ready": ["http"], "health": {"path": "/"},
                   "stop": {"signal": "QUIT"}}
        grayd = self.start(merged(two_versions(version={"v1": version, "v2": None}), changes), up=("v1",))
        return grayd.get(headers={"Accept-Encoding": "gzip"})["content-encoding"]

    def test_gzip_needs_no_via_or_gzip_proxied(self):
        self.assertIsNone(self.encoding())
        self.assertEqual(self.encoding(via=False), "gzip")
        self.assertEqual(self.encoding("gzip_proxied any;"), "gzip")
