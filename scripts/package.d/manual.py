#!/usr/bin/env python3
"""Makes emu's manual pages of what `emu --experimental-dump-help` prints: one for emu and one for each command.

   manual.py VERSION DATE GLOSSARY FOLDER <DUMP

A paragraph of a help that begins `Examples:`, `Exit status:` or `Words:` is a section of the page. The exit statuses
stand in emu's own help and are every page's; the words are explained in emu(1), out of the glossary.
"""
import json
import os
import re
import sys

# Of the dump that is understood here (ToolInfo of swift-argument-parser).
SERIALIZATION = 0
SECTIONS = ("Examples", "Exit status", "Words")
INSTALLED = "/usr/share/doc/emu"


def plain(text):
    """Text that roff takes as it is; a dash is one that can be copied into a command line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def bold(text):
    return f"\\fB{plain(text)}\\fR"


def italic(text):
    return f"\\fI{plain(text)}\\fR"


def prose(text):
    """The same with the options and the pages that it names in bold."""
    return re.sub(r"(?<![\w\\-])(\\-\\-[a-z](?:\\-|[a-z])*)", r"\\fB\1\\fR",
                  re.sub(r"\b(emu[a-z-]*)\((\d)\)", r"\\fB\1\\fR(\2)", plain(text)))


def literal(lines):
    """Lines that are shown as they stand, without their common indentation."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return ["", ".nf", *(plain(line[indent:]).replace("'", "\\(aq") for line in lines), ".fi"]


def statuses(text):
    """`0 done; 2 could not start.` as a list."""
    lines = []
    for part in " ".join(text.split()).rstrip(".").split("; "):
        match = re.fullmatch(r"(\d+(?: \+ n)?) (.*)", part, re.S)
        if not match:
            sys.exit(f"manual.py: no exit status and what it means, as in '2 could not start': '{part}'")
        status, meaning = match.groups()
        lines += [".TP", bold(status), prose(meaning[0].upper() + meaning[1:] + ".")]
    return lines


class Help:
    """A command's discussion: its paragraphs, and those that are sections."""

    def __init__(self, text):
        self.paragraphs, self.sections = [], {}
        for paragraph in (text or "").split("\n\n"):
            name = next((name for name in SECTIONS if paragraph.startswith(name + ":")), None)
            if name:
                self.sections[name] = paragraph[len(name) + 1:].strip("\n")
            elif paragraph.strip():
                self.paragraphs.append(paragraph)


def names(argument):
    shown = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    return [shown[name["kind"]] + name["name"] for name in argument.get("names", [])]


def use(argument):
    """An argument in the synopsis; it stays on one line."""
    text = italic(argument["valueName"])
    if argument["kind"] != "positional":
        text = bold(names(argument)[-1]) + (f"\\ {text}" if argument["kind"] == "option" else "")
    more = "..." if argument["isRepeating"] else ""
    return (f"[{text}]" if argument["isOptional"] else text) + more


def entry(argument):
    """An argument among the options: its names, what it means, what it can be, and more about it line by line."""
    title = ", ".join(bold(name) for name in names(argument))
    if argument["kind"] == "option":
        title += " " + italic(argument["valueName"])
    text = argument.get("abstract", "")
    if "allValues" in argument:
        text += f" One of {', '.join(argument['allValues'])}."
    if "defaultValue" in argument:
        text += f" Default: {argument['defaultValue']}."
    lines = [".TP", title or italic(argument["valueName"]), prose(text)]
    more = (argument.get("discussion") or "").split("\n")
    if more != [""]:
        lines += [".RS"]
        for line in more:
            tag, gap, rest = line.partition("  ")
            lines += [".TP 4", bold(tag), prose(rest.strip())] if gap else [".PP", prose(line)]
        lines += [".RE"]
    return lines


def glossary(path):
    """`## word` and what it means, as a list."""
    lines = []
    with open(path, encoding="utf-8") as file:
        for part in file.read().split("\n## ")[1:]:
            word, text = part.split("\n", 1)
            lines += [".TP", bold(word), prose(" ".join(text.split()).replace("`", ""))]
    return lines


def page(command, root, version, date, words):
    path = [*command.get("superCommands", []), command["commandName"]]
    name, arguments = "-".join(path), [argument for argument in command["arguments"] if argument["shouldDisplay"]]
    commands = [part for part in command.get("subcommands", []) if part["shouldDisplay"] and part["commandName"] != "help"]
    text, common = Help(command.get("discussion")), Help(root.get("discussion"))
    abstract = command["abstract"].rstrip(".")

    lines = [f'.TH {plain(name.upper())} 1 {date} "emu {plain(version)}" "User Commands"', ".nh", ".ad l", ".SH NAME",
             f"{plain(name)} \\- {plain(abstract[0].lower() + abstract[1:])}", ".SH SYNOPSIS"]
    if commands:
        lines += [f"{bold(path[-1])} {italic('command')} [{italic('option')}]\\&...", ".br"]
    lines += [" ".join([bold(" ".join(path)), *(use(argument) for argument in arguments)]), ".SH DESCRIPTION"]
    for paragraph in text.paragraphs if commands else [command["abstract"], *text.paragraphs]:
        lines += [".PP", *prose(paragraph).split("\n")]
    if commands:
        lines += [".SH COMMANDS"]
        for part in commands:
            lines += [".TP", f"\\fB{plain(name)}\\-{plain(part['commandName'])}\\fR(1)", prose(part["abstract"])]
    lines += [".SH OPTIONS", *(line for argument in arguments for line in entry(argument))]
    lines += [".SH EXIT STATUS", *statuses(common.sections["Exit status"])]
    if "Examples" in text.sections:
        lines += [".SH EXAMPLES", *literal(text.sections["Examples"].split("\n"))]
    if commands:
        lines += [".SH WORDS", *words]
    elif "Words" in text.sections:
        lines += [".SH WORDS", prose(" ".join(text.sections["Words"].split()))]
    others = [name] + ["-".join([*part["superCommands"], part["commandName"]]) for part in root["subcommands"]
                       if part["commandName"] != "help"]
    others = sorted({root["commandName"], *others} - {name})
    lines += [".SH SEE ALSO", ",\n".join(f"\\fB{plain(other)}\\fR(1)" for other in others), ".PP",
              f"The documents are in {plain(INSTALLED)}, examples in {plain(INSTALLED)}/examples."]
    return name, "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    version, date, words, folder = sys.argv[1:]
    dump = json.load(sys.stdin)
    if dump.get("serializationVersion") != SERIALIZATION:
        print(f"manual.py: the help's serializationVersion is {dump.get('serializationVersion')}, not {SERIALIZATION}:"
              " swift-argument-parser has changed what it prints; see ToolInfo.swift there", file=sys.stderr)
        sys.exit(2)
    root = dump["command"]
    os.makedirs(folder, exist_ok=True)
    for command in [root, *root["subcommands"]]:
        if command["commandName"] == "help":
            continue
        name, text = page(command, root, version, date, glossary(words))
        with open(os.path.join(folder, f"{name}.1"), "w", encoding="utf-8") as file:
            file.write(text)


main()
