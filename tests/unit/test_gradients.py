"""Every gradient of every cell, against central differences and against torch's autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from cases import FIELD, MAKE, case_of, cases, into
from hypothesis import given
from references import LOOPS, TORCH, central_differences, relative_error

from rnnlib import backward, forward
from rnnlib.functions import ACTIVATIONS
from rnnlib.skip import SkipRNNCell


@given(cases)
def test_forward_equals_the_step_by_step_loop(case):
    trace, found = case.trace, {}
    case.run_loop(note=lambda name, t, value: found.setdefault((name, t), value))
    assert {name for name, _ in found} == set(case.inner_fields)
    for (name, t), value in found.items():
        np.testing.assert_allclose(getattr(trace, name)[t], value, rtol=1e-12, atol=1e-14)


@given(cases)
def test_parameters_against_differences(case):
    _, dcell = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    assert dcell.fields().keys() == case.cell.SHAPES.keys()
    case.assume_far_from_kinks()
    for name, value in case.cell.fields().items():
        differences = central_differences(
            lambda p: case.loss(forward(replace(case.cell, **{name: p}), **case.inputs)),  # noqa: B023
            value,
        )
        assert relative_error(getattr(dcell, name), differences) < 1e-8, name


@given(cases)
def test_inputs_against_differences(case):
    dtrace, _ = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    case.assume_far_from_kinks()
    for name, value in case.inputs.items():
        differences = central_differences(
            lambda v: case.loss(forward(case.cell, **{**case.inputs, name: v})),  # noqa: B023
            value,
        )
        assert relative_error(getattr(dtrace, FIELD.get(name, name)), differences) < 1e-8, name


@given(cases)
def test_inner_fields_against_differences(case):
    """dtrace.f[t] is the total derivative: what L does when f_t alone is nudged on its way."""
    dtrace, _ = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    case.assume_far_from_kinks()
    for field in case.inner_fields:
        nudges = np.zeros_like(getattr(dtrace, field))
        differences = central_differences(lambda v: nudged_loss(case, field, v), nudges)  # noqa: B023
        assert relative_error(getattr(dtrace, field), differences) < 1e-8, field


@given(cases)
def test_everything_against_torch(case):
    check_against_torch(case)


@pytest.mark.parametrize("T", [15, 16, 17, 40])
@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_everything_against_torch_over_more_than_one_block(make, T):
    """The cells compute in blocks of 16 steps."""
    rng = np.random.default_rng(T)
    check_against_torch(case_of(make(3, 5, rng=rng), T, 2, rng))


def check_against_torch(case):
    trace = case.trace
    dtrace, dcell = backward(case.cell, trace, case.dhs, dlast=case.dlast)
    kept = {name: leaf(value) for name, value in case.inputs.items()}
    p = {name: leaf(value) for name, value in case.cell.fields().items()}
    inner = {}

    def note(name, t, value):
        value.retain_grad()
        inner.setdefault(name, []).append(value)
        return value

    outputs = LOOPS[type(case.cell)](case.cell, TORCH, p, note=note, **kept)
    loss = (torch.stack(outputs) * torch.tensor(case.dhs)).sum()
    carried = kept["teacher"][-1:] if "teacher" in kept else [
        inner[name][-1] for name in trace.CARRIES
    ]
    if isinstance(case.cell, SkipRNNCell):
        carried = [*inner["h"][::-1], *kept["state"]][: case.cell.skip]
    dlast = torch.tensor(case.dlast).reshape(len(carried), *carried[0].shape)
    (loss + sum((v * dv).sum() for v, dv in zip(carried, dlast, strict=True))).backward()
    expected = {FIELD.get(name, name): gradient(v) for name, v in kept.items()}
    expected |= {name: np.stack([gradient(v) for v in values]) for name, values in inner.items()}
    assert expected.keys() == dtrace.fields().keys()
    for name, value in expected.items():
        assert relative_error(getattr(dtrace, name), value) < 1e-10, name
    for name, value in p.items():
        assert relative_error(getattr(dcell, name), gradient(value)) < 1e-10, name


@given(cases)
def test_a_gradient_is_a_record_of_the_same_type(case):
    trace = case.trace
    dtrace, dcell = backward(case.cell, trace, case.dhs, dlast=case.dlast)
    assert type(dtrace) is type(trace)
    assert dtrace.cell is dcell
    assert type(dcell) is type(case.cell)
    assert getattr(dcell, "activation", None) == getattr(case.cell, "activation", None)
    for name, value in {**trace.fields(), **case.cell.fields()}.items():
        owner = dcell if name in case.cell.SHAPES else dtrace
        assert getattr(owner, name).shape == value.shape, name


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_against_differences(name):
    f, slope = ACTIVATIONS[name]
    a = np.array([-3.0, -0.7, 0.01, 0.4, 2.5])
    differences = np.diag(central_differences(lambda v: f(v).sum(), a))
    assert relative_error(np.diag(slope(f(a))), differences) < 1e-8
    assert f(a, out=a) is a  # every activation can write where it is told


def test_relu_has_slope_zero_at_zero_as_in_torch():
    z = leaf(np.zeros(1))
    torch.relu(z).backward()
    assert ACTIVATIONS["relu"].slope(np.zeros(1)) == gradient(z) == 0


def nudged_loss(case, field, nudges):
    """The loss when something is added to every step of a field, as it is computed."""
    end = {}

    def note(name, t, value):
        end[name] = value + nudges[t] if name == field else value
        return end[name]

    outputs = case.run_loop(note)
    carried = [end[name] for name in case.trace.CARRIES]
    if "teacher" in case.inputs:
        carried = [case.inputs["teacher"][-1]]
    last = carried[0] if len(carried) == 1 else np.stack(carried)
    return np.sum(case.dhs * np.stack(outputs)) + into(last, case.dlast)


def leaf(value):
    return torch.tensor(value, requires_grad=True)


def gradient(tensor):
    return torch.zeros_like(tensor).numpy() if tensor.grad is None else tensor.grad.numpy()
