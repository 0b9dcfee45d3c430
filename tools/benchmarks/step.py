"""How long a training step takes, against one that works as the released program does.

    python tools/benchmarks/step.py configs/pretrain_echo.py --batch 4 --cfg-options ...
    python tools/benchmarks/step.py configs/pretrain_echo_packed.py --batch 64 --amp --compile

A step is both clips forward, backward, and the optimizer, from frames in the CPU's memory: uint8
here, float32 there. The frames are noise, the masks the config's. Losses and gradients of the two
are compared first, in float32. Rounds alternate; times are medians.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from command_line import config_parser, pretraining_config_of
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, TRANSFORMS
from released_style import ReleasedStyleStep
from rounds import alternate, ratio
from torch import Tensor

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.train import COMPILE_MODES, compile_model, use_mixed_precision
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.clip_batch import ClipBatch
from echocardmae_mm.models import EchoCardMAE

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument(
        '--batch', type=at_least(1), default=4, help='recordings, of two clips each'
    )
    parser.add_argument('--rounds', type=at_least(2), default=9, help='rounds of each')
    parser.add_argument('--amp', action='store_true', help='time mixed precision as well')
    parser.add_argument('--compile', nargs='?', const='default', choices=COMPILE_MODES)
    return parser.parse_args()


def noise(config: Config, size: int) -> dict[str, Any]:
    """A batch as it is read from a store, with the config's targets and masks left to do."""
    steps = config.train_dataloader.dataset.pipeline
    chosen = [step for step in steps if step['type'].endswith(('DenoisedTarget', 'SectorMask'))]
    backbone = config.model.backbone
    shape = (2, size, backbone.num_frames, backbone.img_size, backbone.img_size, 3)
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    if DEVICE == 'cuda':
        clips = clips.pin_memory()
    keys = torch.tensor([(0, 0, video) for video in range(size)])
    return {'inputs': ClipBatch(clips, keys, [TRANSFORMS.build(step) for step in chosen])}


def as_released(model: EchoCardMAE, batch: dict[str, Any]) -> dict[str, Tensor]:
    """The same batch as the released program's loader hands it over."""
    prepared = batch['inputs'].prepare(lambda tensor: tensor)
    mean, std = (getattr(model.data_preprocessor, name).cpu() for name in ('mean', 'std'))
    released = {name: prepared[name][: len(batch['inputs'].keys)] for name in ('sector', 'masked')}
    for name, clips in (('x', 'imgs'), ('y', 'target')):
        normal = (prepared[clips].movedim(1, -1) - mean) / std
        for number, half in enumerate(normal.movedim(-1, 1).contiguous().chunk(2), start=1):
            released[f'{name}{number}'] = half
    return released


def differences(model: EchoCardMAE, batch: dict[str, Any]) -> tuple[float, float]:
    """Relative difference of the losses and of the gradient as a whole between the two."""

    def computed(losses: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        model.zero_grad()
        sum(losses.values()).backward()  # type: ignore[union-attr]
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        return torch.stack(list(losses.values())).detach(), torch.cat(gradients)

    released = {name: x.to(DEVICE) for name, x in as_released(model, batch).items()}
    theirs = computed(ReleasedStyleStep(model)(released))
    ours = computed(model.loss(model.data_preprocessor(batch)['inputs']))
    loss, gradient = (float((a - b).norm() / b.norm()) for a, b in zip(ours, theirs))
    return loss, gradient


def our_step(config: Config, batch: dict[str, Any]) -> Callable[[int], object]:
    """What the runner does at each iteration."""
    model = MODELS.build(config.model).to(DEVICE)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    return lambda _: model.train_step(batch, wrapper)


def released_step(config: Config, batch: dict[str, Any], amp: bool) -> Callable[[int], object]:
    """What the released program does at each iteration."""
    model = MODELS.build(config.model).to(DEVICE)
    losses_of, on_cpu = ReleasedStyleStep(model), as_released(model, batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    scaler = torch.amp.GradScaler(DEVICE, enabled=amp)

    def step(_: int) -> list[float]:
        moved = {name: value.to(DEVICE) for name, value in on_cpu.items()}
        with torch.autocast(DEVICE, torch.float16, enabled=amp):
            losses = losses_of(moved)
        optimizer.zero_grad()
        scaler.scale(sum(losses.values())).backward()
        scaler.step(optimizer)
        scaler.update()
        return [value.item() for value in losses.values() for _ in range(3)]

    return step


def variants(config: Config, args: argparse.Namespace) -> dict[str, Callable[[int], object]]:
    """The released way, ours in float32, and ours with what was asked for."""
    batch = noise(config, args.batch)
    chosen = {
        'released style': released_step(config, batch, args.amp and DEVICE == 'cuda'),
        'float32': our_step(config, batch),
    }
    fast = copy.deepcopy(config)
    if args.amp:
        use_mixed_precision(fast)
    if args.compile:
        compile_model(fast, args.compile)
    names = ['mixed precision'] * args.amp + ['compiled'] * bool(args.compile)
    if names:
        chosen[', '.join(names)] = our_step(fast, batch)
    return chosen


def peak_memory(work: Callable[[int], object]) -> str:
    """What a step takes of a GPU's memory beyond what was there before it."""
    if DEVICE == 'cpu':
        return ''
    work(0)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    work(0)
    return f', {(torch.cuda.max_memory_allocated() - before) / 1e9:.1f} GB'


@report_user_errors
def main() -> None:
    args = parse_args()
    config = pretraining_config_of(args)
    model = MODELS.build(config.model).to(DEVICE)
    loss, gradient = differences(model, noise(config, min(args.batch, 4)))
    print(f'in float32 the losses differ by {loss:.1e}, the gradient by {gradient:.1e}')
    chosen = variants(config, args)
    memory = {name: peak_memory(work) for name, work in chosen.items()}
    times = alternate(chosen, args.rounds)
    for name, seconds in times.items():
        each = f'{1e3 * np.median(seconds):.1f} ms'
        print(f'{name}: {each} a step of {args.batch}{memory[name]}')
    first, *rest = times
    for name in rest:
        print(f'{first} / {name}: {ratio(times[first], times[name])}')
    if len(rest) == 2:
        print(f'{rest[0]} / {rest[1]}: {ratio(times[rest[0]], times[rest[1]])}')


if __name__ == '__main__':
    main()
