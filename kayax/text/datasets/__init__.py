"""``paddle.text.datasets``: well-known text datasets from local files."""
from kayax.text.datasets.conll05 import Conll05st
from kayax.text.datasets.imdb import Imdb
from kayax.text.datasets.imikolov import Imikolov
from kayax.text.datasets.movielens import Movielens
from kayax.text.datasets.uci_housing import UCIHousing
from kayax.text.datasets.wmt14 import WMT14
from kayax.text.datasets.wmt16 import WMT16

__all__ = ["Conll05st", "Imdb", "Imikolov", "Movielens", "UCIHousing", "WMT14", "WMT16"]
