from __future__ import annotations

import torch

from echocardmae_mm.engine import CPUAmpOptimWrapper


def test_forward_in_bfloat16_weights_and_gradients_in_float32():
    model = torch.nn.Linear(3, 2)
    before = model.weight.detach().clone()
    wrapper = CPUAmpOptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with wrapper.optim_context(model):
        output = model(torch.ones(4, 3))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().square().mean())
    assert model.weight.dtype == torch.float32
    assert not torch.equal(model.weight, before)
    assert model(torch.ones(4, 3)).dtype == torch.float32


def test_amp_trains_without_a_gpu(new_run):
    run = new_run('train_cfg.max_epochs=2')
    assert run.start('--amp').finish() == 0, run.output()
    assert all(value.isfinite().all() for value in run.result().values())
