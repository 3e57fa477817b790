#!/usr/bin/env python3
"""Hold every #include of src/ against src/LAYERS. Exit 1 and one line each if a
room includes what it may not."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent / "src"
rooms = {}
order = []
for line in (root / "LAYERS").read_text().splitlines():
    line = line.split("#", 1)[0].strip()
    if not line:
        continue
    room, _, allowed = line.partition(":")
    rooms[room] = set(allowed.split()) | {room}
    order.append(room)

bad = 0


def complain(text):
    global bad
    bad += 1
    print(text)


for index, room in enumerate(order):
    for other in rooms[room] - {room}:
        if other not in order[:index]:
            complain(f"src/LAYERS: '{room}' may include '{other}', which is not below it")

for folder in sorted(p for p in root.iterdir() if p.is_dir()):
    if folder.name not in rooms:
        complain(f"src/{folder.name}: not in src/LAYERS")
        continue
    for path in sorted(folder.rglob("*.[ch]")):
        name = path.relative_to(root.parent)
        if path.parent != folder:
            complain(f"{name}: src/ is two levels deep")
        for number, text in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
            if not found:
                continue
            target = found.group(1)
            other = target.split("/")[0]
            if "/" not in target:
                complain(f"{name}:{number}: include \"{target}\" without its room")
            elif other not in rooms[folder.name]:
                complain(f"{name}:{number}: '{folder.name}' may not include '{other}'")
            elif target.endswith("_priv.h") and other != folder.name:
                complain(f"{name}:{number}: '{target}' is private to '{other}'")

if bad == 0:
    print(f"layers: {len(order)} rooms, all includes allowed")
sys.exit(1 if bad else 0)
