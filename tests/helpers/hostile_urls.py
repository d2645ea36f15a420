"""URLs and refs that would have git run a program, or take them for something else."""


def hostile_urls(program):
    """Give URLs that would start a program, or mean something else than they seem to."""
    run = f"sh -c {program}"
    helpers = ("ext", "fd", "ext::ext", "testgit", "hg", "bzr", "http", "remote-ext", "-ext", "")
    yield from (f"{helper}::{run}" for helper in helpers)
    yield from (f"{helper}::{program}" for helper in helpers)
    yield from (f"{scheme}://example.invalid/x" for scheme in
                "git git+ssh ssh+git ftp ftps ext fd rsync svn javascript data gopher HTTPS Https SSH FILE unix".split())  # fmt: skip
    options = (f"--upload-pack={program}", f"-u{program}", f"--exec={program}", f"-c core.sshCommand={program}",
               f"-oProxyCommand={program}", "--config-env=x", "-", "--", "--help", f"--template={program}")  # fmt: skip
    yield from options
    yield from (f"ssh://{option}/x" for option in options)
    yield from (f"ssh://{option}@example.invalid/x" for option in options)
    yield from (f"{option}:x" for option in options)
    yield from (f"example.invalid:{option}" for option in options)
    yield from (f"ssh://example.invalid/{option}" for option in options)
    for control in (
        "\n",
        "\r",
        "\0",
        "\x1b",
        "\t",
        "\x7f",
        "\u2028",
        "\u202e",
        "\udcff",
        "%0a",
        "%00",
        "%1B",
    ):
        yield f"https://example.invalid{control}/x"
        yield f"ssh://git@example.invalid/x{control}y"
    yield from ("https://user:token@example.invalid/x", "https://token@example.invalid/x", "ssh://u:p@example.invalid/x",
                "http://example.invalid/x", "http://127.0.0.1.example.invalid/", "http://localhost@example.invalid/x",
                "http://[::2]/x", "https:///x", "https://", "ssh://", "ssh:///x", "file://", "file://host/x",
                "file:////host/x", "https://exa mple.invalid/x", "https://example.invalid:99999/x", "https://-x/y",
                "https://x:port/y", "ssh://h:0/x", "", " ", "name", "a/b", "~root/x", "\\\\host\\x", "C:\\x", "x" * 3000,
                "https://example.invalid/" + "x" * 3000, f"$({program})", f"`{program}`", f"|{program}",
                f";{program}", f"&& {program}", f"{program};x", "https://example.invalid\\@other.invalid/")  # fmt: skip


def hostile_refs(program):
    """Give refs that git would take for something else, or not take at all."""
    yield from (f"--upload-pack={program}", f"-u{program}", "-", "--", "--all", "-h", "--exec=x", "-b")
    yield from (
        f"main{mark}" for mark in ("..x", "^", "^{commit}", "~1", ":x", "@{1}", "@{u}", "?", "*", "[x]", "\\")
    )
    yield from (f"main{control}x" for control in (" ", "\n", "\0", "\t", "\x1b", "\x7f", "\u2028", "\udcff"))
    yield from (
        "",
        "@",
        ".x",
        "x/.y",
        "x.lock",
        "x.lock/y",
        "x/",
        "/x",
        "x//y",
        "x.",
        "^x",
        ":/x",
        "+x:y",
        "x" * 300,
    )
    yield from (f"{option}/main" for option in ("-x", "--upload-pack=x", "-c", "--no-x", "--server-option=x"))
    yield from ("refs/heads/-x", "a/--upload-pack=x", f"$({program}) x", f"; {program}", f"| {program}")
