"""Export the network of a bundle to ONNX."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.network import Network
from echocardmae_mm.apis.onnx_network import OnnxNetwork, require_onnxruntime
from echocardmae_mm.apis.read_clips import read_clips
from echocardmae_mm.apis.segment_frames import read_batches
from echocardmae_mm.utils.atomic_files import atomic_path
from echocardmae_mm.utils.errors import UserError

_FRAMES = 64
_TOLERANCE = 1e-3


def export_onnx(bundle: Bundle, path: Path) -> float:
    """Write the network of a bundle, on the CPU, as ONNX, and compare it with torch.

    The graph takes uint8 RGB in batches of any size, normalises it, and returns ejection fractions
    in per cent, probabilities or logits, and features. Its metadata hold what the caller must know,
    each value as JSON: ``task``, ``model``, ``weights_sha256``, ``classes``, ``synthetic``,
    ``framing``, ``frame_size`` (before the resize to the size of the input), ``fps`` of the
    training data and ``sampling`` of the clips.

    Returns:
        float: Largest difference between onnxruntime and torch on random frames.

    Raises:
        UserError: If a package is missing, or the difference is not that of rounding.
    """
    require_onnxruntime()
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise UserError(
            'onnxscript is missing\nInstall it with: pip install "echocardmae_mm[onnx]"'
        ) from None
    network = Network(bundle.model, bundle.task).eval()
    inputs = random_like(example_inputs(bundle), 2)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(
            network,
            (inputs,),
            dynamo=True,
            verbose=False,
            input_names=['clips' if inputs.ndim == 5 else 'frames'],
            output_names=list(network(inputs)),
            dynamic_shapes=({0: torch.export.Dim('N')},),
        )
    assert program is not None
    for name, value in _metadata(bundle).items():
        program.model.metadata_props[name] = json.dumps(value)
    with atomic_path(path) as part:
        program.save(str(part))
        difference = _largest_difference(network, OnnxNetwork(part, bundle.sha256), inputs)
        if not difference < _TOLERANCE:
            raise UserError(
                f'{path}: not written; onnxruntime differs from torch by {difference:.2g}'
            )
    return difference


def example_inputs(bundle: Bundle) -> Tensor:
    """Inputs of the network for a black recording."""
    height, width = bundle.config.frame_size
    frames = np.zeros((_FRAMES, height, width, 3), np.uint8)
    if bundle.task == 'segmentation':
        return next(read_batches(bundle, frames))[1]
    framed = Framed(frames, np.ones((height, width), bool), None, cropped=True)
    return read_clips(bundle, framed, bundle.config.fps)


def random_like(inputs: Tensor, count: int) -> Tensor:
    """Random uint8 in the shape of inputs, of another number."""
    generator = torch.Generator().manual_seed(count)
    shape = (count, *inputs.shape[1:])
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def _metadata(bundle: Bundle) -> dict[str, Any]:
    config = bundle.config
    samplers = [step for step in config.test_pipeline if 'clip_len' in step]
    return {
        'task': bundle.task,
        'model': bundle.name,
        'weights_sha256': bundle.sha256,
        'classes': config.classes,
        'synthetic': bundle.synthetic,
        'use': 'research use only',
        'framing': config.framing,
        'frame_size': config.frame_size,
        'fps': config.fps,
        'sampling': {
            name: value for step in samplers[:1] for name, value in step.items() if name != 'type'
        },
    }


def _largest_difference(network: Network, exported: OnnxNetwork, like: Tensor) -> float:
    batches = [random_like(like, count) for count in (1, 3)]
    differences = []
    for batch in batches:
        ours, theirs = network(batch), exported(batch)
        differences += [float((theirs[name] - ours[name]).abs().max()) for name in ours]
    return max(differences)
