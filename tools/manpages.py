#!/usr/bin/env python3
"""Make the manual pages of the programs from what they say about themselves: the
table of options is the only source.

    tools/manpages.py BINDIR [OUTDIR]      OUTDIR defaults to docs/man
"""
import pathlib
import re
import subprocess
import sys

ABOUT = {
    "assayd": ("verify and keep the Bitcoin chain",
               "Verifies the Bitcoin chain, keeps it and its coins on disk, and answers questions "
               "about them over JSON-RPC.", "[options]"),
    "assay-cli": ("ask a Bitcoin node over JSON-RPC",
                  "Sends one call to a running node and prints what it answers. "
                  "The method help lists all methods.", "[options] method [arguments]"),
    "assay-verify": ("verify one Bitcoin block without its chain",
                     "Verifies one block out of context, as far as the inputs given allow, and "
                     "prints what it checked and what it could not, or each broken rule with "
                     "txid and input.",
                     "--chain=NAME --height=N [options] BLOCKFILE"),
    "assay-sandbox": ("a private network of Bitcoin nodes on this machine",
                      "Starts a few nodes that know only each other, lets one mine every few "
                      "seconds, sends payments between them, starts again those that are killed, "
                      "and shows all of it on a page. Commands: watch (the default), start, "
                      "status, stop.", "[options] [command]"),
}


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def page(program, text):
    short, about, usage = ABOUT[program]
    version = re.search(r"v([0-9.]+)", text).group(1)
    out = [f'.TH {program.upper()} 1 "" "Assay {version}" "User commands"',
           ".SH NAME", f"{escape(program)} \\- {escape(short)}",
           ".SH SYNOPSIS", f".B {escape(program)}", escape(usage),
           ".SH DESCRIPTION", escape(about)]
    option = None
    for line in text.splitlines():
        if re.match(r"^[A-Z].*:$", line) and not line.startswith("Usage"):
            out.append(f'.SH "{escape(line[:-1].upper())}"')
        elif re.match(r"^  [0-9]  ", line):
            status, meaning = line.split(None, 1)
            out += [".TP", status, escape(meaning)]
        elif re.match(r"^  [a-z]+ {2,}[a-z]", line):
            command, meaning = line.split(None, 1)
            out += [".TP", f"\\fB{command}\\fR", escape(meaning)]
            option = command
        elif line.startswith("  -"):
            option = line.strip()
            out += [".TP", f"\\fB{escape(option)}\\fR"]
        elif line.startswith("       ") and option:
            out.append(escape(line.strip()))
        elif not line.strip():
            option = None
    return "\n".join(out) + "\n"


def main():
    bindir = pathlib.Path(sys.argv[1])
    outdir = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else
                          pathlib.Path(__file__).resolve().parent.parent / "docs/man")
    outdir.mkdir(parents=True, exist_ok=True)
    for program in ABOUT:
        flag = {"assayd": "-help-debug", "assay-verify": "--help"}.get(program, "-help")
        text = subprocess.run([bindir / program, flag], capture_output=True, text=True,
                              check=True).stdout
        (outdir / f"{program}.1").write_text(page(program, text))


main()
