"""Libraries from Maven Central, for the tests with clients in Java."""
import shutil
import subprocess

DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>compat</artifactId><version>1</version>
  <dependencies>
    {}
  </dependencies>
</project>
"""


def is_here():
    return all(shutil.which(tool) for tool in ("java", "javac", "mvn"))


def libraries(home, *artifacts):
    """The folder with these ("GROUP:ARTIFACT:VERSION") and what they need, below `home`; None where they cannot be had."""
    done = home / "done"
    if not done.exists() or done.read_text().split() != list(artifacts):
        home.mkdir(exist_ok=True)
        shutil.rmtree(home / "lib", ignore_errors=True)  # other versions would stay beside these
        dependencies = "\n    ".join(DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
        (home / "pom.xml").write_text(PROJECT.format(dependencies))
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        if subprocess.run(command, cwd=home, capture_output=True, check=False).returncode != 0:
            return None
        done.write_text("\n".join(artifacts))
    return home / "lib"


def program(home, source, *artifacts):
    """The class path of a compiled program and its libraries; None where they cannot be had."""
    lib = libraries(home, *artifacts)
    if lib is None:
        return None
    subprocess.run(["javac", "-cp", f"{lib}/*", "-d", home / "classes", source], check=True)
    return f"{home}/classes:{lib}/*"
