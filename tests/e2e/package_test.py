"""The Debian package: builds it, unpacks it into a scratch root, and runs what is inside. `package_test.py BUILD_FOLDER`."""
import gzip
import json
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv.pop()


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        out = pathlib.Path(cls.scratch.name)
        packed = subprocess.run(["cpack", "-G", "DEB", "-B", out / "pack", "--config", f"{BUILD}/CPackConfig.cmake"],
                                capture_output=True, text=True)
        if packed.returncode:
            raise AssertionError(packed.stdout + packed.stderr)
        (cls.deb,) = (out / "pack").glob("*.deb")
        cls.root = out / "root"
        output("dpkg-deb", "-x", cls.deb, cls.root)
        cls.usr = cls.root / "usr"

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_aictl(self, *args):
        return output(self.usr / "bin" / "aictl", *args, env={"HOME": self.scratch.name, "PATH": "/usr/bin:/bin"})

    def test_the_fields_name_the_version_and_the_libraries(self):
        fields = dict(line.split(": ", 1) for line in output("dpkg-deb", "-f", self.deb).splitlines() if ": " in line)
        self.assertEqual((fields["Package"], fields["Version"]), ("aictl", json.loads(self.run_aictl("version", "-o", "json"))["version"]))
        self.assertRegex(fields["Depends"], r"libc6 \(>= ")
        self.assertRegex(fields["Depends"], r"libstdc\+\+6 \(>= ")
        self.assertEqual(fields["Architecture"], output("dpkg", "--print-architecture").strip())

    def test_it_runs_and_prints_the_pages_it_ships(self):
        self.assertIn("usage", self.run_aictl("--help").lower())
        pages = sorted((self.usr / "share/man/man1").glob("*.gz"))
        self.assertIn("aictl.1.gz", [page.name for page in pages])
        for page in pages:
            text = gzip.decompress(page.read_bytes()).decode()
            self.assertEqual(text, self.run_aictl("man", page.name.removesuffix(".1.gz")), page.name)
            self.assertEqual(page.read_bytes()[4:8], b"\0\0\0\0", "a time stamp makes the package differ each time")

    def test_completions_and_documents_stand_in_debians_places(self):
        share = self.usr / "share"
        for file, shell in (("bash-completion/completions/aictl", "bash"), ("zsh/vendor-completions/_aictl", "zsh"),
                            ("fish/vendor_completions.d/aictl.fish", "fish")):
            self.assertEqual((share / file).read_text(), self.run_aictl("completion", shell))
        self.assertIn("Apache License", (share / "doc/aictl/copyright").read_text())
        self.assertTrue(gzip.decompress((share / "doc/aictl/changelog.gz").read_bytes()))

    def test_nothing_else_is_in_it_and_modes_are_plain(self):
        tops = ("usr/bin/aictl", "usr/share/bash-completion/", "usr/share/zsh/", "usr/share/fish/", "usr/share/man/",
                "usr/share/doc/aictl/")
        for file in self.root.rglob("*"):
            mode = stat.S_IMODE(file.stat().st_mode)
            path = file.relative_to(self.root).as_posix()
            if file.is_dir():
                self.assertEqual(mode, 0o755, path)
                continue
            self.assertTrue(path.startswith(tops), path)
            self.assertEqual(mode, 0o755 if path == "usr/bin/aictl" else 0o644, path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
