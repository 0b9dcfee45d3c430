"""How long a model takes for one recording (section 2.4: "preserving real-time performance").

    python tools/benchmarks/latency.py configs/ef_echonet.py configs/seg_echonet.py

Batch size 1, weights as they are drawn, from decoded frames in memory to the prediction: the test
pipeline behind the decoding, the data preprocessor, the model.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from command_line import config_of, config_parser
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import MODELS

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.config import type_name

SIZE = 112
_READS = ('RecordingInit', 'SampleUniformClips', 'RecordingDecode', 'LoadEchoFrame', 'LoadEchoMask')


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__, nargs='+')
    parser.add_argument('--rounds', type=at_least(2), default=31, help='predictions')
    return parser.parse_args()


def decoded(config: Config) -> dict[str, Any]:
    """What the pipeline has of a recording of 112 x 112 when it is decoded."""
    generator = np.random.default_rng(0)
    shape = (SIZE, SIZE)
    if config.default_scope == 'mmseg':
        frame = generator.integers(0, 255, (*shape, 3), dtype=np.uint8)
        return {'img': frame, 'img_shape': shape, 'ori_shape': shape}
    steps = config.test_dataloader.dataset.pipeline
    sampler = next(step for step in steps if 'clip_len' in step)
    frames = generator.integers(
        0, 255, (sampler.num_clips * sampler.clip_len, *shape, 3), dtype=np.uint8
    )
    return {
        'imgs': list(frames),
        'img_shape': shape,
        'original_shape': shape,
        'modality': 'RGB',
        'num_clips': sampler.num_clips,
        'clip_len': sampler.clip_len,
        'ef': 55.0,
    }


def latency(args: argparse.Namespace, name: str) -> tuple[str, ...]:
    """Median and range of the predictions of one config, in ms."""
    config = config_of(args, config=name)
    for part in ('backbone', 'decode_head'):
        if part in config.model:
            config.model[part].init_cfg = None
    model = MODELS.build(config.model)
    model.to('cuda' if torch.cuda.is_available() else 'cpu').eval()
    steps = config.test_dataloader.dataset.pipeline
    pipeline = Compose([s for s in steps if not type_name(s).endswith(_READS)])
    times = []
    for _ in range(args.rounds + 3):
        recording = decoded(config)
        started = time.perf_counter()
        with torch.no_grad():
            model.test_step(pseudo_collate([pipeline(recording)]))
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - started))
    low, median, high = np.quantile(times[3:], [0.05, 0.5, 0.95])
    return name, f'{median:.1f} ms', f'{low:.1f} to {high:.1f}'


@report_user_errors
def main() -> None:
    args = parse_args()
    rows = [latency(args, name) for name in args.config]
    print(markdown_table(('config', 'one recording', '5 to 95 %'), rows))


if __name__ == '__main__':
    main()
