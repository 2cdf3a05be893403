"""The schema that `grayd schema` prints says the same of a configuration as `grayd --check`.

Compared for the configurations and examples of the tree, for every text of the unit tests of config/settings, and for
many values of each key of the schema itself. A schema that refuses what grayd accepts would be a wrong mark in an
editor, so this never may happen. What grayd refuses and a schema does not is listed in NOT_OF_ONE_KEY, by the words of
the error.
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import tempfile
import tomllib
import unittest

import jsonschema

from harness import ROOT, run_program

# What a schema cannot say, by the error of grayd. docs/configuration.md, "In an editor", has the same list in words.
NOT_OF_ONE_KEY = [
    # two keys, or two places
    r"there is no version \"", r"already has a weight", r"is stable and gets the rest",
    r"services \".*\" and \".*\" both", r"is in use by .* of listen\.", r"already uses this socket",
    r"no peer may connect to these addresses",
    r"is too short for a queue of", r"\"http\" needs a health path", r"cannot be used with listen = \"socket\"",
    r"descriptor 3 is the listening socket", r"needs a health path, because", r"must be the only method",
    r"there is no (certificate|key)\b", r"name the file of their CA", r"no client is asked for", r"belongs to tls\.",
    r"is never reached", r"has no version: add", r"the rule has no condition", r"is the name of an earlier rule",
    r"is not a valid name: use 1 to 64 of a-z, A-Z, 0-9, _ and -\n.*\n?.*#\d", r"an allowlist needs users",
    r"env cannot set (PORT|HOST):", r"each step must be larger", r"is named twice", r"is listed twice",
    # the sum or the size of several values, bytes of UTF-8, paths with their folder
    r"in all\b", r"bytes with (its folder|a version)", r"the headers of a probe have", r"command and env of version",
    r"the text has \d+ bytes", r"longer than the 107 bytes", r"more than \d+ (headers, cookies|values|services)",
    # the meaning of a text
    r"no shell replaces", r"is not replaced", r"the command is empty", r"only over TLS: choose",
    r"cannot be the name of a header$", r"describes a body or a connection", r"is a key of its own",
    r"is not (an address|an IP network|a host)", r"is not a duration: write", r"is too (short|long): ",
    r"is never received",
    # numbers of TOML that JSON does not tell apart
    r"expected an integer, found a decimal number", r"must be a percentage from 0 to 100", r"a step is a percentage",
    # this host
    r" cannot be read: ", r"is not a file: name", r"is not a folder; create it", r"there is no user \"",
]

SMALLEST = "[service.web]\nstable = 'v1'\n[service.web.version.v1]\ncommand = ['sh']\n"
IN_SERVICE = "[service.web]\nstable = 'v1'\nversion.v1.command = ['sh']\n{}\n"
IN_VERSION = SMALLEST + "{}\n"
IN_RELEASE = SMALLEST + "[service.web.release]\ncommand = ['sh']\n{}\n"
IN_ROLLOUT = SMALLEST + "[service.web.rollout]\n{}\n"
# How the unit tests of a reader complete their texts.
WRAPPERS = {"settings": ["{}\n" + SMALLEST, "{}"], "service": [IN_SERVICE, "{}"], "version": [IN_VERSION],
            "tls": [SMALLEST + "[listen]\nhttps = ['127.0.0.1:8443']\n[tls.main]\n{}\n", "{}"],
            "limits": [SMALLEST + "[service.web.limits]\n{}\n"], "release": [IN_RELEASE, IN_ROLLOUT],
            "targeting": [IN_VERSION, SMALLEST + "[[service.web.rule]]\n{}\n",
                          SMALLEST + "[service.web.allowlist]\n{}\n"]}
LITERAL = re.compile(r'R"\((.*?)\)"|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)


def literals(source):
    """The texts of the string literals of a C++ source."""
    for raw, plain in LITERAL.findall(source):
        try:
            yield raw or json.loads(f'"{plain}"')
        except ValueError:
            pass  # an escape that JSON does not have


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def toml_blocks(text):
    return re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = run_program("grayd", "schema")
        assert printed.code == 0 and not printed.err, printed
        cls.schema = printed.json()
        jsonschema.Draft7Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft7Validator(cls.schema)
        cls.folder = tempfile.mkdtemp(prefix="grayd-schema-test-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def check(self, text):
        """What `grayd --check` says against a text; empty: nothing."""
        with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=self.folder, delete=False) as file:
            file.write(text)
        done = run_program("grayd", "--config", file.name, "--check")
        os.unlink(file.name)
        self.assertIn(done.code, (0, 8), f"{text}\n{done}")
        return done.err if done.code == 8 else ""

    def refusal(self, table):
        return next((f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:300]
                     for error in self.validator.iter_errors(table)), "")

    def compare(self, texts):
        """Both say the same of all texts; returns how many were accepted, refused by both, and by grayd alone."""
        texts = [text for text in dict.fromkeys(texts) if len(text) < 200_000]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            said = list(pool.map(self.check, texts))
        return self.compare_said(texts, said)

    def compare_said(self, texts, said):
        accepted = refused = alone = 0
        unknown = []
        for text, error in zip(texts, said):
            try:
                table = tomllib.loads(text)
            except tomllib.TOMLDecodeError:
                continue
            refusal = self.refusal(table)
            if not error:
                self.assertEqual(refusal, "", f"the schema refuses what grayd accepts:\n{text}")
                accepted += 1
            elif refusal:
                refused += 1
            else:
                alone += 1
                if not any(re.search(pattern, error, re.MULTILINE) for pattern in NOT_OF_ONE_KEY):
                    unknown.append(f"{text}\n{error}")
        self.assertEqual(unknown, [], "the schema accepts what grayd refuses:\n" + "\n".join(unknown))
        return accepted, refused, alone

    def test_every_configuration_of_the_tree_is_accepted(self):
        for name in ("config/demo.toml", "config/tls.toml", "config/reference.toml", "packaging/grayd.toml"):
            with self.subTest(name):
                self.assertEqual(self.refusal(tomllib.loads(read(name))), "")

    def test_the_examples_of_the_documents_are_accepted(self):
        count = 0
        for path in sorted(glob.glob("docs/*.md", root_dir=ROOT)) + ["README.md"]:
            for block in toml_blocks(read(path)):
                table = tomllib.loads(block)
                # An example may be a part of a file: what is missing is completed.
                if not set(table) <= set(self.schema["properties"]):
                    table = {"service": {"web": {"version": {"v1": table}}}}
                for service in table.get("service", {}).values():
                    service.setdefault("stable", "v1")
                    for version in [*service.get("version", {}).values(), *filter(None, [service.get("release")])]:
                        version.setdefault("command", ["x"])
                table.setdefault("service", {"web": {"stable": "v1"}})
                with self.subTest(path, block=block):
                    self.assertEqual(self.refusal(table), "")
                    count += 1
        self.assertGreaterEqual(count, 30)

    def test_the_texts_of_the_unit_tests(self):
        texts = []
        for path in sorted(glob.glob("tests/config/settings/*_toml_test.cpp", root_dir=ROOT)):
            for literal in literals(read(path)):
                if "=" in literal or literal.startswith("["):
                    literal = literal.replace("'node'", "'sh'").replace('"node"', '"sh"')
                    reader = os.path.basename(path).removesuffix("_toml_test.cpp")
                    texts += [wrapper.replace("{}", literal) for wrapper in WRAPPERS[reader]]
        valid = []
        for text in texts:
            try:
                tomllib.loads(text)
                valid.append(text)
            except tomllib.TOMLDecodeError:
                pass
        accepted, refused, alone = self.compare(valid)
        print(f"{accepted} accepted, {refused} refused by both, {alone} by grayd alone", flush=True)
        self.assertGreater(accepted, 50)
        self.assertGreater(refused, 300)

    def test_the_mistakes_of_the_document_are_refused(self):
        for mistake in ("stabel = 'v1'", "limits.max_sockets = 0", "limits.queue_timeout = 5",
                        "version.v1.ready = ['pipe', 'ipq']", "version.v1.weight = '5%'", "hosts = 'example.com'",
                        "limits.head = '64KB'", "limits.head = '2MiB'", "limits.idle_timeout = '75'",
                        "expose = 'all'", "pin = 'yes'", "version.v1.min_healthy = '2h'"):
            with self.subTest(mistake):
                text = f"[service.web]\nstable = 'v1'\nversion.v1.command = ['sh']\n{mistake}\n"
                self.assertNotEqual(self.refusal(tomllib.loads(text)), "", text)
                self.assertNotEqual(self.check(text), "", text)

    VALUES = ["true", "0", "1", "-1", "33", "101", "70000", "2000000", "1.5", "'x'", "''", "'0'", "'5'", "'1s'",
              "'1.5s'", "'0.0s'", "'1ms'", "'500ms'", "'61m'", "'9000h'", "'1 s'", "'1S'", "'5%'", "'4KiB'", "'1KB'",
              "'1023B'",
              "'2MiB'", "'16MiB'", "'1048577GiB'", "'-1s'", "'/x'", "'x y'", "'unix:u'", "'127.0.0.1:80'",
              "'127.0.0.1:65536'", "'[::1]:80'", "'::1'", "'10.0.0.0/8'", "'10.0.0.0/33'", "'localhost:80'",
              "'cookie:a'", "'client-ip'", "'fd:3'", "'fd:256'", "'TERM'", "'SIGTERM'", "'lax'", "[]", "['']", "['x']",
              "['/x']", "['x', 'x']", "['auto']", "['10.0.0.0/8']", "['127.0.0.1:1']", "['cookie:a']", "['fd:255']",
              "[1]", "[1, 5.5]", "[0]", "[101]", "['sh', 'x']", "{}", "{ x = 1 }", "{ x = 'y' }", "1979-05-27"]

    def leaves(self, schema, path):
        for key, below in schema.get("properties", {}).items():
            yield path + [key], below
            yield from self.leaves(below, path + [key])
        if schema.get("type") == "array" and schema["items"].get("type") == "object":
            yield from self.leaves(schema["items"], path)
        for below in schema.get("patternProperties", {}).values():
            yield from self.leaves(below, path + ["*"])

    def of_service(self, inside, key, value, name):
        """A service with one value at one key, complete as far as the key allows."""
        where, line = inside[2:], f"{key} = {value}\n"
        own = {} if where else {key: line}
        text = f"[service.{name}]\n" + own.get("stable", "stable = 'v1'\n")
        text += own.get("paths", "") or f"paths = ['/{name}']\n"
        text += own.get(key, "") if key not in ("stable", "paths") else ""
        if key != "version" or where:
            command = line if key == "command" and where == ["version", "v1"] else "command = ['sh']\n"
            text += f"[service.{name}.version.v1]\n" + command
            text += line if where == ["version", "v1"] and key != "command" else ""
        if where and where != ["version", "v1"]:
            need = {"release": "command = ['sh']\n", "rule": "path = '/r'\n"}.get(where[-1], "")
            header = f"[service.{name}.{'.'.join(where)}]"
            text += (f"[{header}]" if where == ["rule"] else header) + "\n"
            text += ("" if need.startswith(key + " ") else need) + line
        return text

    def compare_services(self, inside, key):
        """The same as compare(), with one service for each value in one file: the lines tell the errors apart."""
        texts = [self.of_service(inside, key, value, f"s{at}") for at, value in enumerate(self.VALUES)]
        return self.compare_parts(texts, "", "")

    def compare_parts(self, texts, before, after):
        """All texts in one file; each is then completed on its own for the schema."""
        said = [""] * len(texts)
        begins, line = [], 1 + before.count("\n")
        for text in texts:
            begins.append(line)
            line += text.count("\n")
        error = self.check(before + "".join(texts) + after)
        for found in re.finditer(r"^\S+\.toml:(\d+):\d+: error: .*\n.*\n.*\n", error, re.MULTILINE):
            said[max(at for at, begin in enumerate(begins) if begin <= int(found[1]))] += found[0]
        return self.compare_said([text + after for text in texts], said)

    def of_tls(self, key):
        """A certificate for each value."""
        need = "".join(f"{one} = 'x'\n" for one in ("certificate", "key") if one != key)
        return [f"[tls.t{at}]\n{need}{key} = {value}\n" for at, value in enumerate(self.VALUES)]

    def test_each_key_with_many_values(self):
        counts, top = [], []
        for path, below in self.leaves(self.schema, []):
            names = ["web" if at == 1 else "v1" if at == 3 else name for at, name in enumerate(path)]
            if names[0] == "service" and len(names) > 2 and path[-1] != "*":
                counts.append(self.compare_services(names[:-1], names[-1]))
            elif names[0] == "tls" and len(names) == 3 and path[-1] != "*":
                counts.append(self.compare_parts(self.of_tls(names[-1]), "", SMALLEST))
            elif names[0] not in ("service", "tls") and below.get("type") != "object":
                top.append(".".join(path))
        for value in self.VALUES:
            counts.append(self.compare_parts([f"{key} = {value}\n" for key in top], "", SMALLEST))
        counts = [sum(one) for one in zip(*counts)]
        print(f"{counts[0]} accepted, {counts[1]} refused by both, {counts[2]} by grayd alone", flush=True)
        self.assertGreater(counts[0], 300)
        self.assertGreater(counts[1], 2_000)

    def test_an_unknown_key_is_refused_in_every_table(self):
        tables = [".".join("web" if at == 1 else "v1" if name == "*" else name for at, name in enumerate(path))
                  for path, below in self.leaves(self.schema, []) if below.get("type") == "object" and
                  below.get("additionalProperties") is False and "properties" in below and path[-1] != "*"]
        self.assertIn("service.web.version.v1.health", tables)
        for table in tables:
            need = "command = ['sh']\n" if table.endswith("release") else ""
            need += "certificate = 'c'\nkey = 'k'\n" if table.startswith("tls.") else ""
            text = SMALLEST + f"[{table}]\n{need}no_such_key = 1\n"
            with self.subTest(table):
                self.assertIn("no_such_key", self.refusal(tomllib.loads(text)))
                self.assertIn("unknown key", self.check(text))

    def test_every_key_has_a_title_a_text_and_what_it_may_be(self):
        for path, below in self.leaves(self.schema, []):
            with self.subTest(".".join(path)):
                self.assertEqual(below["title"], ".".join("NAME" if name == "*" else name for name in path))
                self.assertTrue({"type", "enum", "anyOf"} & set(below), below)
                if below.get("type") != "object" and path[-1] != "*":
                    self.assertTrue(below.get("description"), path)

    def test_every_default_is_valid(self):
        for path, below in self.leaves(self.schema, []):
            if "default" in below:
                with self.subTest(".".join(path)):
                    jsonschema.Draft7Validator(below).validate(below["default"])


if __name__ == "__main__":
    unittest.main()
