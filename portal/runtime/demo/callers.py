"""Callers for demo and traffic: real North American area codes, drawn by how many people live there.

The line is always 555-0100 to 555-0199, which is kept for fiction: nobody's number.
"""

from random import Random

# State or province: inhabitants in hundred thousands, and its area codes (from the `phonenumbers` package).
AREAS: dict[str, tuple[int, str]] = {
    "AB": (48, "368 403 587 780 825"), "AK": (7, "907"), "AL": (51, "205 251 256 334 659 938"),
    "AR": (31, "479 501 870"), "AZ": (74, "480 520 602 623 928"), "BC": (56, "236 250 604 672 778"),
    "CA": (390, "209 213 279 310 323 341 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 747 760 805 818 "
                "831 858 909 916 925 949 951"),
    "CO": (59, "303 719 720 970"), "CT": (36, "203 475 860 959"), "DC": (7, "202"), "DE": (10, "302"),
    "FL": (226, "239 305 321 352 386 407 561 727 754 772 786 813 850 863 904 941 954"),
    "GA": (110, "229 404 470 478 678 706 762 770 912"), "HI": (14, "808"), "IA": (32, "319 515 563 641 712"),
    "ID": (20, "208 986"), "IL": (125, "217 224 309 312 331 618 630 708 773 779 815 847 872"),
    "IN": (69, "219 260 317 463 574 765 812 930"), "KS": (29, "316 620 785 913"), "KY": (45, "270 364 502 606 859"),
    "LA": (46, "225 318 337 504 985"), "MA": (70, "339 351 413 508 617 774 781 857 978"), "MB": (15, "204 431"),
    "MD": (62, "240 301 410 443 667"), "ME": (14, "207"), "MI": (100, "231 248 269 313 517 586 616 734 810 906 947 989"),
    "MN": (57, "218 320 507 612 651 763 952"), "MO": (62, "314 417 573 636 660 816"), "MS": (29, "228 601 662 769"),
    "MT": (11, "406"), "NB": (9, "506"), "NC": (108, "252 336 704 743 828 910 919 980 984"), "ND": (8, "701"),
    "NE": (20, "308 402 531"), "NH": (14, "603"), "NJ": (93, "201 551 609 732 848 856 862 908 973"), "NM": (21, "505 575"),
    "NS": (11, "782 902"), "NV": (32, "702 725 775"),
    "NY": (196, "212 315 332 347 516 518 585 607 631 646 680 716 718 845 914 917 929 934"),
    "OH": (118, "216 220 234 330 380 419 440 513 567 614 740 937"), "OK": (41, "405 539 580 918"),
    "ON": (158, "226 249 289 343 365 416 437 519 548 613 647 705 807 905"), "OR": (42, "458 503 541 971"),
    "PA": (130, "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878"),
    "QC": (90, "367 418 438 450 514 579 581 819 873"), "RI": (11, "401"), "SC": (54, "803 839 843 854 864"),
    "SD": (9, "605"), "SK": (12, "306 639"), "TN": (71, "423 615 629 731 865 901 931"),
    "TX": (305, "210 214 254 281 325 346 361 409 430 432 469 512 682 713 726 737 806 817 830 832 903 915 936 940 956 972 979"),
    "UT": (34, "385 435 801"), "VA": (87, "276 434 540 571 703 757 804"), "VT": (6, "802"),
    "WA": (78, "206 253 360 425 509 564"), "WI": (59, "262 274 414 534 608 715 920"), "WV": (18, "304 681"),
    "WY": (6, "307"),
}  # fmt: skip
# Canadians call American campaigns now and then.
CANADA = {"AB", "BC", "MB", "NB", "NS", "ON", "QC", "SK"}
CANADIAN_SHARE = 0.15

_PLACES = list(AREAS)
_WEIGHTS = [people * (CANADIAN_SHARE if place in CANADA else 1) for place, (people, _) in AREAS.items()]
_CODES = {place: codes.split() for place, (_, codes) in AREAS.items()}


def caller_draw(random: Random) -> str:
    """A caller's number in E.164."""
    place = random.choices(_PLACES, _WEIGHTS)[0]
    return f"+1{random.choice(_CODES[place])}55501{random.randrange(100):02d}"


# How lively each hour of the day is, by the clocks of the eastern United States: most call between ten and five.
HOURLY = (20, 16, 14, 13, 14, 18, 28, 45, 70, 92, 100, 100, 96, 94, 96, 94, 88, 78, 66, 58, 50, 42, 34, 26)


def liveliness(hour: int, floor: int = 0) -> float:
    """The share of the busiest hour's calls that come in an hour of the day; never below `floor` percent."""
    return max(HOURLY[hour % 24], floor) / max(HOURLY)


def talk_seconds(random: Random, median: float) -> float:
    """A talk time: log-normal, as measured talk times are; some are short, a few very long (at most an hour)."""
    return min(random.lognormvariate(0, 0.85) * median, 3600.0)
