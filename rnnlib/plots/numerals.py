"""Numbers as a figure writes them: indices, powers of ten, percent; never in small print."""

_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def subscript(n):
    """The digits of a whole number n >= 0 as subscripts: 12 gives ₁₂."""
    return str(n).translate(_LOW)


def ten(power):
    """Ten to a whole power: -7 gives 10⁻⁷."""
    return "10" + str(power).translate(_HIGH)


def scientific(x, digits=1):
    """x with so many significant digits and a power of ten: 0.00000035 gives 4·10⁻⁷."""
    lead, power = f"{x:.{digits - 1}e}".split("e")
    return f"{lead}·{ten(int(power))}"


def percent(share):
    """A share in whole percent, and never 0% or 100% of what is neither: 0.004 gives <1%."""
    return {0: "<1%", 100: ">99%"}.get(whole := round(100 * share), f"{whole}%")
