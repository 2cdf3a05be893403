"""HTTP/2 as clients see it, by raw frames: the rules of RFC 9113 and RFC 7541, with and without TLS."""
import os
import ssl

from h2_cases import CASES
from h2_client import Client
from harness import GrayTest, free_port, merged, two_versions
from tls_test import make_certificates


class Http2(GrayTest):
    """One grayd for each class: HTTP/2 by prior knowledge on its port, and by ALPN on `https`."""

    changes = {}

    @classmethod
    def setUpClass(cls):
        daemon = cls._prepared(two_versions(**cls.changes), {})
        cls.https = free_port()
        make_certificates(os.path.join(daemon.folder, "tls"))
        daemon.write_config(merged(daemon.config, {
            "listen": {"https": [f"127.0.0.1:{cls.https}"], "h2c": True},
            "tls": {"main": {"certificate": "tls/cert.pem", "key": "tls/key.pem"}}}))
        cls.shared = daemon
        cls.addClassCleanup(daemon.clean_up)
        cls._started(daemon, ["v1", "v2"])
        cls.context = ssl.create_default_context(cafile=os.path.join(daemon.folder, "tls", "ca.pem"))
        cls.context.set_alpn_protocols(["h2"])

    def connect(self, tls=False, **options):
        client = Client(self.https if tls else self.shared.port, self.context if tls else None, **options)
        self.addCleanup(client.close)
        return client


class Conformance(Http2):
    def conform(self, group):
        for case in CASES[group]:
            for tls in (False, True):
                with self.subTest(case.name, section=case.section, tls=tls):
                    with self.connect(tls, **case.options) as client:
                        for step in case.steps:
                            client.send(step) if isinstance(step, bytes) else step(client)
                        case.want(client)

    def test_starting(self):
        self.conform("starting")

    def test_frames(self):
        self.conform("frames")

    def test_streams(self):
        self.conform("streams")

    def test_control_frames(self):
        self.conform("control frames")

    def test_windows(self):
        self.conform("windows")

    def test_header_blocks(self):
        self.conform("header blocks")

    def test_messages(self):
        self.conform("messages")
