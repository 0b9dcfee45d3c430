from copy import deepcopy
from types import SimpleNamespace

import torch
from torch import nn

from echocardmae_mm.engine import CompileHook


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def loss(self, x):
        return (self.factor * x).sum()


def compiled(model):
    hook = CompileHook(backend='aot_eager')
    hook.before_train(SimpleNamespace(model=model))
    return model


def test_a_compiled_model_has_the_same_loss_and_gradient():
    plain, model = Scale(), compiled(Scale())
    x = torch.arange(3.0)
    plain.loss(x).backward()
    loss = model.loss(x)
    loss.backward()
    assert loss == plain.loss(x)
    assert model.factor.grad == plain.factor.grad


def test_a_copy_of_a_compiled_model_uses_its_own_weights():
    model = compiled(Scale())
    copy = deepcopy(model)
    nn.init.zeros_(copy.factor)
    assert copy.loss(torch.ones(2)) == 0
    assert model.loss(torch.ones(2)) == 4
