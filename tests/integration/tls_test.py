"""HTTPS: certificates by host, client certificates, their replacement, and what clients without TLS get."""
import http.client
import os
import socket
import ssl
import subprocess
import threading

from harness import GrayTest, eventually, fake, free_port, merged, run_program, two_versions

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def make_certificates(folder):
    """ca, cert and key for localhost, client, crl; as scripts/dev-certs makes them."""
    subprocess.run([os.path.join(ROOT, "scripts", "dev-certs"), folder], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_pair(folder, name):
    """A certificate signed by itself, and its key."""
    certificate, key = (os.path.join(folder, f"{name}{end}") for end in (".pem", "-key.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "10", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Tls(GrayTest):
    @classmethod
    def setUpClass(cls):
        daemon = cls._prepared(two_versions(), {})
        cls.https = free_port()
        make_certificates(os.path.join(daemon.folder, "tls"))
        pair = {"certificate": "tls/cert.pem", "key": "tls/key.pem"}
        guarded = {**pair, "hosts": ["guarded.localhost"], "client_auth": "required", "client_ca": "tls/ca.pem",
                   "client_crl": "tls/crl.pem"}
        asking = {**pair, "hosts": ["asking.localhost"], "client_auth": "optional", "client_ca": "tls/ca.pem"}
        version = {"command": fake(), "ready": ["pipe"]}
        daemon.write_config(merged(daemon.config, {
            "listen": {"https": [f"127.0.0.1:{cls.https}"]},
            "tls": {"main": pair, "guarded": guarded, "asking": asking},
            "service": {"inner": {"hosts": ["asking.localhost"], "paths": ["/inner"], "stable": "v1",
                                  "client_cert": "required", "version": {"v1": version}}}}))
        cls.shared = daemon
        cls.addClassCleanup(daemon.clean_up)
        cls._started(daemon, ["v1", "v2"])

    def file(self, name):
        return os.path.join(self.shared.folder, "tls", name)

    def context(self, client=False, **changes):
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        context.check_hostname = False
        if client:
            context.load_cert_chain(self.file("client.pem"), self.file("client-key.pem"))
        for name, value in changes.items():
            setattr(context, name, value)
        return context

    def connect(self, host="localhost", context=None, session=None):
        raw = socket.create_connection(("127.0.0.1", self.https), timeout=20)
        return (context or self.context()).wrap_socket(raw, server_hostname=host, session=session)

    def ask(self, path="/", host="localhost", context=None, headers=(), body=None, connection=None):
        connection = connection or self.connect(host, context)
        link = http.client.HTTPConnection("127.0.0.1")
        link.sock = connection
        link.request("POST" if body is not None else "GET", path, body=body,
                     headers={"Host": host, **dict(headers)})
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()

    def certificate(self, host="localhost"):
        """The subject of what a client is shown now."""
        context = self.context(verify_mode=ssl.CERT_NONE)
        with self.connect(host, context) as connection:
            done = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"],
                                  input=connection.getpeercert(True), stdout=subprocess.PIPE, check=True)
            return done.stdout.decode().strip()


class Requests(Tls):
    def test_a_request_is_answered_and_the_worker_knows_that_it_was_https(self):
        status, headers, body = self.ask("/echo")
        self.assertEqual((status, headers["X-Gray-Version"]), (200, "v1"))
        self.assertIn(b"x-forwarded-proto: https", body.lower())

    def test_both_versions_of_tls_and_no_older_ones(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(minimum_version=version, maximum_version=version)
            self.assertEqual(self.ask(context=context)[0], 200)
        old = self.context(verify_mode=ssl.CERT_NONE)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, OSError)):
            self.connect(context=old)

    def test_bodies_of_all_sizes_pass_unchanged(self):
        for size in (0, 1, 4096, 16384, 100_000, 5_000_000):
            status, _, body = self.ask(f"/big?n={size}")
            self.assertEqual((status, len(body)), (200, size))
        body = os.urandom(3_000_000)
        self.assertEqual(self.ask("/", body=body)[0], 200)

    def test_a_connection_is_kept_and_ends_in_order(self):
        with self.connect() as connection:
            for _ in range(5):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200"))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while connection.recv(65536):  # an end without close_notify would be an error
                pass

    def test_alpn(self):
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with self.connect(context=context) as connection:
            self.assertEqual(connection.selected_alpn_protocol(), "h2")
        context.set_alpn_protocols(["http/1.1"])
        with self.connect(context=context) as connection:
            self.assertEqual(connection.selected_alpn_protocol(), "http/1.1")
        context.set_alpn_protocols(["other"])
        with self.assertRaises(ssl.SSLError):
            self.connect(context=context)

    def test_curl(self):
        done = subprocess.run(["curl", "-sS", "--cacert", self.file("ca.pem"), f"https://localhost:{self.https}/"],
                              stdout=subprocess.PIPE, check=True, timeout=30)
        self.assertEqual(done.stdout, b"v1\n")

    def test_http_on_the_tls_port_is_told_so(self):
        with self.shared.client(self.https) as client:
            answer = client.ask("/")
        self.assertEqual((answer.status, answer["x-gray-reason"]), (400, "bad-request"))
        self.assertIn("use https://", answer.text)
        self.assertEqual(self.shared.get("/").status, 200)

    def test_failed_handshakes_are_counted_and_a_client_is_named_once(self):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.https), timeout=20) as raw:
                raw.sendall(b"\x00" * 64)
                while raw.recv(4096):
                    pass
        metrics = self.shared.ctl("metrics").out
        self.assertRegex(metrics, r'grayd_tls_handshake_failures_total\{reason="not-tls"\} [1-9]')
        self.assertRegex(metrics, r"grayd_tls_handshakes_total [1-9]")
        eventually(lambda: "client 127.0.0.1: TLS handshake failed" in self.shared.log())
        self.assertEqual(self.shared.log().count("client 127.0.0.1: TLS handshake failed"), 1)

    def test_silent_and_slow_clients_do_not_stop_others(self):
        silent = [socket.create_connection(("127.0.0.1", self.https), timeout=20) for _ in range(50)]
        for one in silent[:25]:
            one.sendall(b"\x16\x03\x01")
        self.assertEqual(self.ask()[0], 200)
        for one in silent:
            one.close()

    def test_sessions_are_resumed_after_an_upgrade_of_the_router(self):
        context = self.context(minimum_version=ssl.TLSVersion.TLSv1_2, maximum_version=ssl.TLSVersion.TLSv1_2)
        with self.connect(context=context) as first:
            session = first.session
        with self.connect(context=context, session=session) as again:
            self.assertTrue(again.session_reused)
        self.assertEqual(self.shared.ctl("upgrade", "router").code, 0)
        with self.connect(context=context, session=session) as after:
            self.assertTrue(after.session_reused)


class ClientCertificates(Tls):
    def test_a_guarded_host_needs_one(self):
        status, _, body = self.ask("/echo", "guarded.localhost", self.context(client=True))
        self.assertEqual(status, 200)
        lines = [line for line in body.decode().lower().split("\r\n") if line.startswith("x-forwarded-client-cert")]
        self.assertEqual(len(lines), 1)
        self.assertIn('subject="cn=developer"', lines[0])
        self.assertIn("uri=spiffe://localhost/developer", lines[0])
        with self.assertRaises((ssl.SSLError, OSError)):
            self.ask("/", "guarded.localhost")

    def test_a_client_cannot_vouch_for_itself(self):
        _, _, body = self.ask("/echo", headers={"X-Forwarded-Client-Cert": "Hash=1", "X_Forwarded_Client_Cert": "a"})
        self.assertNotIn(b"client-cert", body.lower())

    def test_neither_host_nor_name_nor_ticket_leads_past_it(self):
        connection = self.connect("localhost")
        status, headers, _ = self.ask("/", "guarded.localhost", connection=connection)
        self.assertEqual((status, headers["X-Gray-Reason"]), (421, "misdirected"))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(minimum_version=version, maximum_version=version)
            with self.connect("localhost", context) as open_host:
                open_host.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                open_host.recv(4096)
                session = open_host.session
            with self.assertRaises((ssl.SSLError, OSError)):
                guarded = self.connect("guarded.localhost", context, session)
                guarded.sendall(b"GET / HTTP/1.1\r\nHost: guarded.localhost\r\n\r\n")
                if guarded.recv(4096):
                    return
                raise OSError("closed")

    def test_a_service_may_need_one_where_the_host_only_asks(self):
        status, headers, _ = self.ask("/inner", "asking.localhost")
        self.assertEqual((status, headers["X-Gray-Reason"]), (403, "client-cert"))
        self.assertEqual(self.ask("/", "asking.localhost")[0], 200)
        self.assertEqual(self.ask("/inner", "asking.localhost", self.context(client=True))[0], 200)


class Replacement(Tls):
    def swap(self, certificate, key):
        """As renewal tools do: the key first, each renamed."""
        for source, name in ((key, "key.pem"), (certificate, "cert.pem")):
            with open(source) as file, open(self.file(name + ".new"), "w") as new:
                new.write(file.read())
            os.rename(self.file(name + ".new"), self.file(name))

    def test_a_renewed_certificate_is_used_without_losing_a_connection(self):
        kept = self.connect()
        self.assertEqual(self.ask(connection=kept)[0], 200)  # from now on it may wait for idle_timeout
        self.assertEqual(self.certificate(), "subject=CN = localhost")
        self.swap(*make_pair(self.shared.folder, "renewed.localhost"))
        eventually(lambda: self.certificate() == "subject=CN = renewed.localhost", timeout=20)
        self.assertEqual(self.ask(connection=kept)[0], 200)
        status = {one["name"]: one for one in self.shared.status()["tls"]}
        self.assertIsNone(status["main"]["error"])
        self.assertEqual(status["main"]["hosts"], ["renewed.localhost"])
        self.assertRegex(status["main"]["not_after"], r"^\d{4}-\d\d-\d\dT")

        # A pair that does not belong together, or is half written, keeps the old one.
        certificate, key = make_pair(self.shared.folder, "other.localhost")
        with open(self.file("key.pem"), "w") as file, open(key) as other:
            file.write(other.read())
        # A look in between may find the file empty, which is another fault.
        wrong = "key.pem: it is not the key of the certificate"
        eventually(lambda: wrong in (self.shared.status()["tls"][0]["error"] or ""), timeout=20)
        self.assertEqual(self.certificate(), "subject=CN = renewed.localhost")
        self.assertIn("certificate-failed", self.shared.ctl("events").out)
        self.assertIn("certificate", [one["cause"] for one in self.shared.status()["warnings"]])
        self.swap(certificate, key)
        eventually(lambda: self.shared.status()["tls"][0]["error"] is None, timeout=20)
        self.assertEqual(self.certificate(), "subject=CN = other.localhost")

    def test_handshakes_go_on_while_certificates_are_replaced_and_grayd_is_upgraded(self):
        pairs = [make_pair(self.shared.folder, f"{name}.localhost") for name in ("one", "two")]
        context, failures, ended, count = self.context(verify_mode=ssl.CERT_NONE), [], threading.Event(), [0]

        def ask_on():
            while not ended.is_set():
                try:
                    status = self.ask(context=context)[0]
                    count[0] += 1
                    if status != 200:
                        failures.append(status)
                except Exception as error:
                    failures.append(error)
        clients = [threading.Thread(target=ask_on) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            for i in range(4):
                self.swap(*pairs[i % 2])
                self.assertEqual(self.shared.ctl("upgrade", *([] if i == 1 else ["router"])).code, 0)
        finally:
            ended.set()
            for client in clients:
                client.join()
        self.assertEqual(failures, [])
        self.assertGreater(count[0], 20)


class Start(GrayTest):
    def refused(self, tls, expected):
        daemon = self._prepared(two_versions(), {})
        self.addCleanup(daemon.clean_up)
        make_certificates(os.path.join(daemon.folder, "tls"))
        daemon.write_config(merged(daemon.config, {"listen": {"https": [f"127.0.0.1:{free_port()}"]}, "tls": tls}))
        make_pair(daemon.folder, "other")
        with open(os.path.join(daemon.folder, "half.pem"), "w") as half:
            half.write(open(os.path.join(daemon.folder, "tls", "cert.pem")).read()[:300])
        for options in ((), ("--check",)):
            result = run_program("grayd", "--config", daemon.config_file, *options, cwd=daemon.folder)
            self.assertEqual(result.code, 8, result)
            self.assertIn(expected, result.err)

    def test_a_certificate_that_cannot_be_used_is_refused(self):
        good = {"certificate": "tls/cert.pem", "key": "tls/key.pem"}
        for changes, expected in (({"certificate": "none.pem"}, "none.pem cannot be read: No such file"),
                                  ({"key": "other-key.pem"}, "other-key.pem: it is not the key of the certificate"),
                                  ({"certificate": "half.pem"}, "half.pem: "),
                                  ({"client_auth": "required", "client_ca": "tls/key.pem"},
                                   "key.pem: it contains no certificate")):
            with self.subTest(changes):
                self.refused({"main": {**good, **changes}}, expected)

    def test_tls_without_a_certificate_is_refused(self):
        self.refused({}, "there is no certificate for these addresses: add [tls.main]")
