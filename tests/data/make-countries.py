#!/usr/bin/env python3
"""Writes src/leads/countries.tsv: what people call each country that has a calling code.

    pip install phonenumbers==9.0.43 pycountry
    python3 tests/data/make-countries.py > src/leads/countries.tsv

Columns: the region, and its names joined by &: three letters, then the languages that headers are known in. A name
that two countries share is left out.
"""

from collections import Counter

import phonenumbers
import pycountry
from phonenumbers.geodata.locale import LOCALE_DATA

LANGUAGES = "en de fr es it pt nl pl cs sv nb da fi hu ro tr ru el ja ko zh vi".split()
MORE = {
    "US": "U.S. America|United States of America|Vereinigte Staaten von Amerika|EE.UU.|EEUU|Etats-Unis|U.S.|Estados Unidos de América",
    "GB": "UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|Großbritannien|United Kingdom of Great Britain and Northern Ireland|Grande-Bretagne|Gran Bretaña|Regno Unito|Reino Unido",
    "NL": "Holland|The Netherlands",
    "CZ": "Czech Republic|Czechia|Tschechische Republik|República Checa|Česká republika",
    "CI": "Ivory Coast|Cote d'Ivoire",
    "RU": "Russian Federation|Russia",
    "KR": "Korea, Republic of|Republic of Korea|South Korea",
    "AE": "UAE|U.A.E.|Emirates|VAE",
    "VN": "Viet Nam|Vietnam",
    "TR": "Turkey|Türkiye|Turkiye",
    "MX": "Mexico|Méjico",
    "BR": "Brazil|Brasil",
    "IE": "Republic of Ireland|Eire",
    "CH": "Schweiz|Suisse|Svizzera",
    "BO": "Bolivia, Plurinational State of",
    "VE": "Venezuela, Bolivarian Republic of",
    "IR": "Iran, Islamic Republic of",
    "MD": "Moldova, Republic of",
    "TZ": "Tanzania, United Republic of",
    "SY": "Syrian Arab Republic",
    "TW": "Taiwan, Province of China|Taiwan",
    "LA": "Laos|Lao People's Democratic Republic",
    "BN": "Brunei|Brunei Darussalam",
    "HK": "Hong Kong|Hongkong|Hong Kong SAR",
    "MO": "Macau|Macao",
    "MK": "Macedonia|North Macedonia",
    "SZ": "Swaziland|Eswatini",
    "CV": "Cape Verde|Cabo Verde",
    "MM": "Burma|Myanmar",
    "PS": "Palestine|Palestine, State of",
    "CD": "DR Congo|DRC|Democratic Republic of the Congo|Congo, The Democratic Republic of the",
    "CG": "Republic of the Congo|Congo-Brazzaville",
    "KN": "St Kitts and Nevis|Saint Kitts and Nevis",
    "LC": "St Lucia|Saint Lucia",
    "VC": "St Vincent and the Grenadines|Saint Vincent and the Grenadines",
    "TT": "Trinidad",
    "AG": "Antigua",
    "BS": "The Bahamas|Bahamas",
    "GM": "The Gambia|Gambia",
    "VA": "Holy See (Vatican City State)|Vatican",
    "XK": "Kosovo|XKX",
}


def bare(name):
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def main():
    names = {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        country = pycountry.countries.get(alpha_2=region)
        found = [country.alpha_3, country.name] if country else []
        found += [getattr(country, "common_name", "")] if country else []
        own = LOCALE_DATA.get(region, {})
        for language in LANGUAGES:
            name = own.get(language, "")
            found.append(own.get(name[1:], "") if name.startswith("*") else name)
        found += MORE.get(region, "").split("|")
        unique = {}
        for name in found:
            if name and bare(name) not in (bare(region), ""):
                unique.setdefault(bare(name), name.replace("&", "and"))
        names[region] = unique
    count = Counter(name for unique in names.values() for name in unique)
    count.update(bare(region) for region in names)
    print("# region<TAB>its names joined by &: facts from CLDR by way of libphonenumber, and ISO 3166")
    for region, unique in names.items():
        own = "&".join(shown for name, shown in unique.items() if count[name] == 1)
        if own:
            print(region, own, sep="\t")


main()
