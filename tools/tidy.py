#!/usr/bin/env python3
"""House rules that a compiler does not hold: banned calls, length of functions,
files and lines, words that mark unfinished work, tests that expect nothing.
Exit 1 and one line for each breach. tools/tidy.allow lists the exceptions, each
with its reason; it may only shrink."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 1200
COLUMNS_MAX = 100

# call: why not, and what instead
BANNED = {
    "strcpy": "no bound; use memcpy with a known length or snprintf",
    "strcat": "no bound; use struct buf",
    "sprintf": "no bound; use snprintf",
    "vsprintf": "no bound; use vsnprintf",
    "gets": "no bound",
    "strtok": "keeps hidden state",
    "atoi": "cannot fail; use a parser that can",
    "atol": "cannot fail; use a parser that can",
    "atoll": "cannot fail; use a parser that can",
    "rand": "not random; use entropy_fill or test_random",
    "random": "not random; use entropy_fill or test_random",
    "srand": "not random",
    "localtime": "not thread-safe",
    "gmtime": "not thread-safe; use gmtime_r",
    "malloc": "may return NULL; use alloc",
    "calloc": "may return NULL; use alloc_array",
    "realloc": "may return NULL; use realloc_array",
    "strdup": "may return NULL; use alloc_string",
    "asprintf": "may return NULL; use alloc_printf",
    "assert": "vanishes in release; use CHECK",
    "alloca": "no bound on the stack",
}
# Rooms whose work is to make these calls.
BANNED_HOME = {"src/base/alloc.c", "src/base/arena.c"}
# System calls belong to os.
OS_ONLY = {"open", "fopen", "fsync", "fdatasync", "pread", "pwrite", "mmap", "unlink", "rename",
           "socket", "pthread_create", "gettimeofday", "clock_gettime", "getrandom", "fork"}
OS_HOMES = ("src/os/", "src/app/", "src/base/alloc.c", "src/base/secret.c", "src/http/")
UNFINISHED = re.compile(r"\b(T[O]DO|FIXM[E]|XX[X]|HAC[K]|stub|not implemented|unimplemented|for now|"
                        r"placeholder|simplified version)\b", re.I)

allowed = {}
allow_file = root / "tools" / "tidy.allow"
if allow_file.exists():
    for line in allow_file.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if line:
            key, _, limit = line.rpartition(" ")
            allowed[key] = int(limit)

bad = 0
used = set()


def complain(text):
    global bad
    bad += 1
    print(text)


def strip(text):
    """Blank out comments and strings, keeping line numbers."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text,
                  flags=re.S)


def functions(code):
    """(name, first line, last line) of each function definition."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" and start is None:
            start = number
        elif line.startswith("}") and start is not None:
            head = " ".join(lines[max(0, start - 8):start - 1])
            names = re.findall(r"\b(\w+)\s*\(", head[head.rfind(";") + 1:])
            yield (names[0] if names else "?", start, number)
            start = None


for path in sorted(p for top in ("src", "include", "test", "bench", "examples")
                   for p in (root / top).rglob("*.[ch]")):
    name = str(path.relative_to(root))
    text = path.read_text()
    code = strip(text)
    lines = text.split("\n")
    if len(lines) > FILE_LINES_MAX and name not in allowed:
        complain(f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and "http" not in line and not re.match(r" *X\(", line):
            complain(f"{name}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
        if line.rstrip() != line or "\t" in line:
            complain(f"{name}:{number}: tab or space at the end")
        if name.startswith(("src", "include")) and UNFINISHED.search(line):
            complain(f"{name}:{number}: a word that marks unfinished work")
    for number, line in enumerate(code.split("\n"), 1):
        for call in re.findall(r"(?<![\w.>])(\w+)\s*\(", line):
            if call in BANNED and name not in BANNED_HOME and name.startswith("src/"):
                complain(f"{name}:{number}: '{call}': {BANNED[call]}")
            if call in OS_ONLY and name.startswith("src/") and not name.startswith(OS_HOMES):
                complain(f"{name}:{number}: '{call}' is a system call: it belongs to os")
    if path.suffix == ".c":
        for function, first, last in functions(code):
            length = last - first - 1
            key = f"{name}:{function}"
            limit = allowed.get(key, FUNCTION_LINES_MAX)
            if key in allowed:
                used.add(key)
                if length <= FUNCTION_LINES_MAX:
                    complain(f"tools/tidy.allow: '{key}' is no longer needed")
            if length > limit:
                complain(f"{name}:{first}: '{function}' has {length} lines, at most {limit}")
    if name.startswith("test/unit/") and name.endswith("_test.c"):
        if "EXPECT_" not in code and "expect_" not in code:
            complain(f"{name}: expects nothing")
        if "TEST_LIST(" not in code:
            complain(f"{name}: has no TEST_LIST")
        listed = set(re.findall(r"\bTEST\((\w+)\)", code))
        for function in re.findall(r"^static void (\w+)\(void\)$", code, re.M):
            if function not in listed and code.count(function) < 2:
                complain(f"{name}: '{function}' is never run")

for key in sorted(set(allowed) - used):
    if ":" in key:
        complain(f"tools/tidy.allow: '{key}' does not exist")

if bad == 0:
    print("tidy: clean")
sys.exit(1 if bad else 0)
