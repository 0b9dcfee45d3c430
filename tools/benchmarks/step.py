"""Time a training step, and compare it with one in the way of the released code.

    python tools/benchmarks/step.py configs/pretrain_echo.py --batch 4 --cfg-options ...
    python tools/benchmarks/step.py configs/pretrain_echo.py --batch 64 --amp --compile
    python tools/benchmarks/step.py configs/pretrain_echo.py --key-area

A step comprises the forward pass of both clips, the backward pass and the optimizer. It starts from
frames in the CPU's memory, uint8 here and float32 in the released code. The frames are noise, the
masks those of the config. The script first compares losses and gradients of both in float32. With
--key-area, it times our step with masks over the whole frame and inside the sector instead, which
is the time that key area masking saves (section 2.2). The variants alternate in rounds; times are
medians.
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
from mmengine.registry import MODELS
from released_style import ReleasedStyleStep
from rounds import alternate, ratio
from torch import Tensor

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.train import COMPILE_MODES, use_mixed_precision
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.models import EchoCardMAE
from echocardmae_mm.models.clip_pair_preprocessor import TokenIndices

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument(
        '--batch', type=at_least(1), default=4, help='recordings with two clips each'
    )
    parser.add_argument('--rounds', type=at_least(2), default=9, help='timed rounds')
    parser.add_argument('--amp', action='store_true', help='time mixed precision as well')
    parser.add_argument('--compile', nargs='?', const='default', choices=COMPILE_MODES)
    parser.add_argument(
        '--key-area', action='store_true', help='compare masks over the whole frame and key area'
    )
    return parser.parse_args()


def noise(config: Config, size: int) -> dict[str, Any]:
    """Make a collated batch of noise; the data preprocessor adds targets and masks."""
    model = config.model
    shape = (size, 2, 3, model.num_frames, model.img_size, model.img_size)
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    if DEVICE == 'cuda':
        clips = clips.pin_memory()
    keys = torch.tensor([(0, 0, video) for video in range(size)])
    return {'inputs': {'imgs': clips, 'key': keys}}


def as_released(model: EchoCardMAE, batch: dict[str, Any]) -> dict[str, Tensor]:
    """Convert a batch to the form in which the released code's loader returns it."""
    preprocessor = copy.deepcopy(model.data_preprocessor).cpu()
    inputs = preprocessor(batch)['inputs']
    mean, std = preprocessor.mean, preprocessor.std
    tokens: TokenIndices = inputs['tokens']
    size = len(batch['inputs']['key'])
    masked = torch.zeros(size, sum(ids.shape[1] for ids in tokens[:3]), dtype=torch.bool)
    sector = masked.scatter(1, tokens.masked[:size], True)
    released = {'masked': sector, 'sector': sector.scatter(1, tokens.visible[:size], True)}
    for name, clips in (('x', 'imgs'), ('y', 'target')):
        normal = (inputs[clips].movedim(1, -1) - mean) / std
        for number, half in enumerate(normal.movedim(-1, 1).contiguous().chunk(2), start=1):
            released[f'{name}{number}'] = half
    return released


def differences(model: EchoCardMAE, batch: dict[str, Any]) -> tuple[float, float]:
    """Relative differences between the two in the losses and in the whole gradient."""

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


def our_step(
    config: Config, batch: dict[str, Any], compile_mode: str | None = None
) -> Callable[[int], object]:
    """Build the step that the runner takes in an iteration."""
    model = MODELS.build(config.model).to(DEVICE)
    if compile_mode is not None:
        model.loss = torch.compile(model.loss, dynamic=False, mode=compile_mode)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    return lambda _: model.train_step(batch, wrapper)


def released_step(config: Config, batch: dict[str, Any], amp: bool) -> Callable[[int], object]:
    """Build the step that the released code takes in an iteration."""
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
    """Build the steps: the released code's, ours in float32, and ours with the given options."""
    batch = noise(config, args.batch)
    chosen = {
        'released style': released_step(config, batch, args.amp and DEVICE == 'cuda'),
        'float32': our_step(config, batch),
    }
    fast = copy.deepcopy(config)
    if args.amp:
        use_mixed_precision(fast)
    names = ['mixed precision'] * args.amp + ['compiled'] * bool(args.compile)
    if names:
        chosen[', '.join(names)] = our_step(fast, batch, args.compile)
    return chosen


def maskings(config: Config, args: argparse.Namespace) -> dict[str, Callable[[int], object]]:
    """Build our step with masks over the whole frame and inside the sector."""
    chosen = {}
    for name, sector in (('whole frame', 'none'), ('key area', 'template')):
        config.model.data_preprocessor.mask.sector = sector
        chosen[name] = our_step(config, noise(config, args.batch))
    return chosen


def peak_memory(work: Callable[[int], object]) -> str:
    """GPU memory that a step needs beyond the memory in use before it."""
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
    if args.key_area:
        chosen = maskings(config, args)
    else:
        model = MODELS.build(config.model).to(DEVICE)
        loss, gradient = differences(model, noise(config, min(args.batch, 4)))
        print(f'in float32 the losses differ by {loss:.1e}, the gradient by {gradient:.1e}')
        chosen = variants(config, args)
    memory = {name: peak_memory(work) for name, work in chosen.items()}
    times = alternate(chosen, args.rounds)
    for name, seconds in times.items():
        each = f'{1e3 * np.median(seconds):.1f} ms'
        print(f'{name}: {each} per step of {args.batch}{memory[name]}')
    first, *rest = times
    for name in rest:
        print(f'{first} / {name}: {ratio(times[first], times[name])}')
    if len(rest) == 2:
        print(f'{rest[0]} / {rest[1]}: {ratio(times[rest[0]], times[rest[1]])}')


if __name__ == '__main__':
    main()
