"""``paddle.vision.datasets``: well-known image datasets from local files, and folders of images."""
from kayax.vision.datasets.cifar import Cifar10, Cifar100
from kayax.vision.datasets.flowers import Flowers
from kayax.vision.datasets.folder import DatasetFolder, ImageFolder
from kayax.vision.datasets.mnist import MNIST, FashionMNIST
from kayax.vision.datasets.voc2012 import VOC2012

__all__ = ["DatasetFolder", "ImageFolder", "MNIST", "FashionMNIST", "Flowers", "Cifar10", "Cifar100", "VOC2012"]
