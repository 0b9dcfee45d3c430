"""Two processes train as one does on the same videos."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import echocardmae_mm
from echocardmae_mm.registry import MODELS
from tests.models.distributed_worker import as_inputs

pytestmark = pytest.mark.xdist_group('losses_of_two_processes')
NORMALISED = dict(mean=[0, 0, 0], std=[1, 1, 1])
PAPER = dict(attn_bias=True, background='positional', loss_rec=1.0, align={})
RELEASE = dict(
    attn_bias=False,
    background='single',
    loss_rec=0.8,
    align=dict(include_positive=True, symmetric=True),
)


def case(model):
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.init_weights()
    tokens = torch.stack([torch.randperm(32) for _ in range(8)]).split([6, 18, 8], dim=1)
    inputs = {name: torch.randn(8, 3, 4, 32, 32) for name in ('imgs', 'target')}
    inputs |= dict(zip(('visible', 'masked', 'background'), tokens))
    return dict(model=model, state=built.state_dict(), inputs=inputs)


def one_process(case):
    model = MODELS.build(case['model'])
    model.load_state_dict(case['state'])
    losses = model(as_inputs(case['inputs']), mode='loss')
    sum(losses.values()).backward()
    gradients = {name: value.grad for name, value in model.named_parameters()}
    return losses, gradients


@pytest.fixture(scope='module')
def two_processes(tmp_path_factory, mae_config):
    folder = tmp_path_factory.mktemp('distributed')
    cases = [case(mae_config(preprocessor=NORMALISED, **kind)) for kind in (PAPER, RELEASE)]
    torch.save(cases, folder / 'cases.pth')
    worker = Path(__file__).with_name('distributed_worker.py')
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    files = [str(folder / name) for name in ('cases.pth', 'results.pth')]
    package = Path(echocardmae_mm.__file__).parents[1]
    done = subprocess.run(
        [*command, str(worker), *files],
        env={**os.environ, 'PYTHONPATH': str(package), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return cases, torch.load(files[1], weights_only=True)


@pytest.mark.parametrize('index', [0, 1], ids=['paper', 'release'])
def test_losses_and_gradients_equal_those_of_one_process(two_processes, index):
    cases, results = two_processes
    losses, gradients = one_process(cases[index])
    for name, value in losses.items():
        torch.testing.assert_close(results[index]['losses'][name], value, rtol=1e-5, atol=0)
    for name, value in results[index]['gradients'].items():
        error = (value - gradients[name]).norm() / gradients[name].norm()
        assert error < 1e-5, f'{name}: relative error {error:.1e}'
