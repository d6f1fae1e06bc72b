"""Learning-rate schedulers against the rates, states and errors of real Paddle 3.3.1."""

import copy
import gc
import json
import pickle
import weakref
from pathlib import Path

import lr_cases
import numpy as np
import pytest

from kayax.bridge.convert import to_tensor
from kayax.bridge.errors import ConversionError
from kayax.bridge.trace import Trace
from kayax.layers.optimizer import lr

REFERENCE = json.loads((Path(__file__).parent / "reference" / "lr.json").read_text())


def assert_same(got, want):
    assert got.keys() == want.keys()
    for key in want:
        if isinstance(want[key], dict):
            assert_same(got[key], want[key])
        else:
            assert got[key] == pytest.approx(want[key], rel=1e-12, abs=1e-15), key


@pytest.mark.parametrize("name", lr_cases.CASES)
def test_rates_and_state_are_paddles(name):
    assert_same(lr_cases.run(name, lr), REFERENCE["cases"][name])


@pytest.mark.parametrize("name", lr_cases.WRONG)
def test_errors_have_paddles_type(name):
    assert REFERENCE["errors"][name] in lr_cases.error_of(name, lr)


@pytest.mark.parametrize("name", [n for n in lr_cases.CASES if "jumps" not in n])
def test_saved_state_goes_on_where_it_was(name):
    make, steps = lr_cases.CASES[name]
    whole, first, second = make(lr), make(lr), make(lr)
    for arguments in steps[:23]:
        whole.step(*arguments)
        first.step(*arguments)
    second.set_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    assert second() == whole()
    for arguments in steps[23:]:
        whole.step(*arguments)
        second.step(*arguments)
        assert second() == pytest.approx(whole(), rel=1e-12)


def test_unknown_state_entries_are_a_warning():
    scheduler = lr.StepDecay(0.1, 2)
    with pytest.warns(UserWarning, match="'x'"):
        scheduler.set_state_dict({"last_epoch": 3, "last_lr": 0.3, "x": 1})
    assert scheduler() == 0.3


def test_verbose_prints_each_rate(capsys):
    scheduler = lr.StepDecay(0.5, 2, verbose=True)
    scheduler.step()
    scheduler.step(2)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 0: StepDecay set learning rate to 0.5.", "Epoch 1: StepDecay set learning rate to 0.5.",
        "Epoch 2: StepDecay set learning rate to 0.05."]


def test_own_scheduler_needs_only_get_lr():
    class Mine(lr.LRScheduler):
        def __init__(self):
            self.factor = 3
            super().__init__(0.5)

        def get_lr(self):
            return self.base_lr / (1 + self.last_epoch)

        def state_keys(self):
            self.keys = ["last_epoch", "factor"]

    scheduler = Mine()
    scheduler.step()
    assert scheduler() == 0.25
    assert scheduler.state_dict() == {"last_epoch": 1, "factor": 3}


@pytest.mark.parametrize("metric", [2.0, 2, np.float32(2), np.array([2.0]), "tensor"])
def test_plateau_takes_a_number_in_any_form(metric):
    scheduler = lr.ReduceOnPlateau(0.5, patience=0, factor=0.5)
    scheduler.step(1.0)
    scheduler.step(to_tensor([2.0]) if isinstance(metric, str) else metric)
    assert scheduler() == 0.25


def test_plateau_refuses_several_numbers():
    with pytest.raises(AssertionError, match=r"shape \[2\].*paddle\.mean"):
        lr.ReduceOnPlateau(0.5).step(np.array([1.0, 2.0]))


class Listener:
    def __init__(self, scheduler):
        self.heard = []
        scheduler._listeners.add(self)

    def _receive_lr(self, value):
        self.heard.append(value)


def test_every_way_to_change_the_rate_reaches_the_optimizers():
    scheduler = lr.StepDecay(0.5, 1, gamma=0.5)
    listener = Listener(scheduler)
    scheduler.step()
    scheduler.set_state_dict({"last_epoch": 5, "last_lr": 0.125})
    scheduler.last_lr = 0.0625
    assert listener.heard == [0.25, 0.125, 0.0625]


def test_schedulers_do_not_keep_optimizers_alive():
    scheduler = lr.StepDecay(0.5, 1)
    gone = weakref.ref(Listener(scheduler))
    gc.collect()
    assert gone() is None
    scheduler.step()


def test_copies_have_no_listeners():
    scheduler = lr.StepDecay(0.5, 1)
    listener = Listener(scheduler)
    for twin in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        twin.step()
        assert twin() == 0.05
    assert listener.heard == [] and scheduler() == 0.5


@pytest.mark.parametrize("scheduler, arguments", [
    (lr.StepDecay(0.5, 1), ()), (lr.CosineAnnealingWarmRestarts(0.5, 3), ()), (lr.ReduceOnPlateau(0.5), (1.0,))])
def test_step_inside_a_converted_function_teaches(scheduler, arguments):
    before = scheduler.state_dict()
    with Trace(), pytest.raises(ConversionError, match="outside of the converted function"):
        scheduler.step(*arguments)
    assert scheduler.state_dict() == before
