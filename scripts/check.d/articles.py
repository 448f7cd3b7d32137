"""Makes a program of the blocks of Swift in articles: a function for each article, with all of its blocks in order.

    articles.py FOLDER ARTICLE…

FOLDER is written anew: a file for each article, and a main.swift that calls one after the other. An article's blocks are
one program, so that what an earlier block declares a later one has; imports go to the head of the file. Exit status 1
where an article has no block, a block that does not end, a fence of Swift with anything behind the word, one that is
indented, or one that does not say its language: docc takes that for Swift.
"""

import pathlib
import sys


def blocks(path):
    """The lines of Swift of an article, imports and the rest apart, with the number of each line."""
    imports, lines, fence = [], [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if fence is None and line.lstrip().startswith(("```", "~~~")):
            if line in ("```", "~~~") or not line.startswith("```"):
                sys.exit(f"{path}:{number}: no block of Swift is left out: the fence is ```LANGUAGE, not indented")
            if line.startswith("```swift") and line != "```swift":
                sys.exit(f"{path}:{number}: no block of Swift is left out: the fence is ```swift alone")
            fence = line
        elif line == "```":
            fence = None
        elif fence == "```swift":
            (imports if line.startswith("import ") else lines).append(line)
    if fence:
        sys.exit(f"{path}: its last block does not end")
    if not lines:
        sys.exit(f"{path}: there is no block of Swift in it")
    return imports, lines


def main():
    folder, articles = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.swift"):
        old.unlink()
    calls = []
    for path in articles:
        imports, lines = blocks(path)
        name = path.stem[0].lower() + path.stem[1:]
        body = "\n".join(f"    {line}" if line else "" for line in lines)
        text = "\n".join(sorted(set(imports)))
        (folder / f"{path.stem}.swift").write_text(
            f"// {path}\n{text}\n\nfunc {name}() throws {{\n{body}\n}}\n", encoding="utf-8")
        calls.append(f'print("== {path.stem}")\ntry {name}()\n')
    (folder / "main.swift").write_text("".join(calls), encoding="utf-8")


main()
