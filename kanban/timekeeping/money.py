"""Money: integers of a currency's minor unit, how they are rounded and how they are formatted."""

_TWO_DIGITS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES
    WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"

MINOR_DIGITS: dict[str, int] = {
    code: digits for digits, codes in ((0, _NO_DIGITS), (2, _TWO_DIGITS), (3, _THREE_DIGITS)) for code in codes.split()
}
"""The currencies that a board can use (ISO 4217), each with its number of decimal digits."""

_FRACTIONS = {
    digits: tuple(f".{rest:0{digits}d}" if digits else "" for rest in range(10**digits)) for digits in (0, 2, 3)
}
"""What follows the whole units of an amount, by the number of digits: pages hold many, and a lookup is fast."""

_SECONDS_PER_HOUR = 3600


def compute_cost_minor(rate_seconds: int) -> int:
    """Return the minor units for a sum of hourly rate times seconds, rounded half up. The sum is never negative."""
    return (2 * rate_seconds + _SECONDS_PER_HOUR) // (2 * _SECONDS_PER_HOUR)


def format_amount(amount_minor: int, currency: str) -> str:
    """Format an amount as currency code, space, number: 'USD 2.63', 'JPY 263'."""
    fractions = _FRACTIONS[MINOR_DIGITS[currency]]
    if amount_minor < 0:
        return format_amount(-amount_minor, currency).replace(" ", " -")
    whole, rest = divmod(amount_minor, len(fractions))
    return f"{currency} {whole}{fractions[rest]}"
