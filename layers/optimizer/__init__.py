"""Optimizers and learning-rate schedulers, with Paddle's names."""
from kayax.layers.optimizer import lr
from kayax.layers.optimizer.algorithms import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lamb,
    Momentum,
    NAdam,
    RAdam,
    RMSProp,
    Rprop,
)
from kayax.layers.optimizer.lbfgs import LBFGS
from kayax.layers.optimizer.optimizer import Optimizer

__all__ = ["ASGD", "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lamb", "Momentum", "NAdam",
           "Optimizer", "RAdam", "RMSProp", "Rprop", "lr"]
