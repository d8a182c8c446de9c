#!/usr/bin/env python3
"""Writes numbers.tsv: tricky numbers of 40 countries with libphonenumber's own verdict on each.

    pip install phonenumbers==9.0.42     # the metadata that rlibphonenumber carries
    python3 tests/data/make-numbers.py > tests/data/numbers.tsv

Columns: the cell as a list may have it, the region given (or -), the verdict (valid, possible or impossible),
the number in E.164, its type, its zones joined by & (or -): those of src/leads/phone-time-zones.tsv, as
libphonenumber looks them up in its own table.
"""

import pathlib
import random

import phonenumbers as p
from phonenumbers import PhoneNumberFormat as F, PhoneNumberType as T

REGIONS = (
    "US CA MX BR AR CL CO PE GB IE FR DE AT CH IT ES PT NL BE LU DK SE NO FI PL CZ HU RO GR TR RU UA IL AE IN JP KR CN AU NZ"
).split()
TYPES = [T.FIXED_LINE, T.MOBILE, T.TOLL_FREE, T.PREMIUM_RATE, T.SHARED_COST]
NAMES = {value: name for name, value in vars(T).items() if isinstance(value, int)}


def clothes(number, region):
    """The ways in which people and programs write one number, each with the region that it needs."""
    e164 = p.format_number(number, F.E164)
    international = p.format_number(number, F.INTERNATIONAL)
    national = p.format_number(number, F.NATIONAL)
    code = str(number.country_code)
    return [
        (e164, "-"),
        (international, "-"),
        (national, region),
        ("00" + e164[1:], "-"),
        ("tel:" + e164, "-"),
        ("'" + e164, "-"),
        ('="' + e164 + '"', "-"),
        (international.replace(" ", "\u00a0"), "-"),
        (international.replace(" ", "."), "-"),
        (e164.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}), "-"),
        ("+" + code + " (0) " + e164[1 + len(code):], "-"),
        ("(" + "+" + code + ") " + international[len(code) + 2:], "-"),
    ]


def mutations(number, dice):
    """Numbers that are nearly right."""
    e164 = p.format_number(number, F.E164)
    at = dice.randrange(4, len(e164))
    yield e164[:-1]
    yield e164 + str(dice.randrange(10))
    yield e164[:at] + str(dice.randrange(10)) + e164[at + 1:]


def table():
    path = pathlib.Path(__file__).parents[2] / "src/leads/phone-time-zones.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    return {prefix: zones.split("&") for prefix, zones in (line.split("\t") for line in lines if line[0] != "#")}


ZONES = table()


def zones_of(number, kind):
    """A number that belongs to no place may be anywhere in its country."""
    code = str(number.country_code)
    if kind == T.UNKNOWN or not p.is_number_type_geographical(kind, number.country_code):
        return ZONES.get(code, [])
    digits = code + p.national_significant_number(number)
    return next((ZONES[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in ZONES), [])


def verdict(text, region):
    plain = text.removeprefix("=").strip("\"'")
    number = p.parse(plain, None if region == "-" else region)
    if p.is_valid_number(number):
        word = "valid"
    elif p.is_possible_number_with_reason(number) == p.ValidationResult.IS_POSSIBLE:
        word = "possible"
    else:
        word = "impossible"
    kind = p.number_type(number)
    zones = sorted(zones_of(number, kind)) if word == "valid" else []
    return word, p.format_number(number, F.E164), NAMES[kind], "&".join(zones) or "-"


def main():
    dice = random.Random(20261122)
    rows = {}
    for region in REGIONS:
        for kind in TYPES:
            number = p.example_number_for_type(region, kind)
            if number is None or p.number_type(number) == T.UNKNOWN:
                continue
            ways = [(text, of, True) for text, of in dice.sample(clothes(number, region), 2)]
            ways += [(text, "-", False) for text in dice.sample(list(mutations(number, dice)), 1)]
            for text, of, is_right in ways:
                if text.startswith("00"):
                    word = verdict("+" + text[2:], of)
                elif "(0)" in text:
                    # Where the zero belongs to some other number, both readings are right: not for this table.
                    kept, left = (verdict(text.replace(" (0) ", zero), of) for zero in ("0", ""))
                    if kept[0] == "valid" and kept[1] != left[1]:
                        continue
                    word = left
                else:
                    word = verdict(text, of)
                if not is_right or word[1] == p.format_number(number, F.E164):
                    rows[(text, of)] = word
    print(f"# made by make-numbers.py with phonenumbers {p.__version__}")
    for (text, of), word in rows.items():
        print(text, of, *word, sep="\t")


main()
