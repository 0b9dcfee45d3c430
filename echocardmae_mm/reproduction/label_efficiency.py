"""Runs of a label-efficiency study: shares of the training patients, from two starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from echocardmae_mm.reproduction.plan import Step
from echocardmae_mm.reproduction.scaled_schedule import scaled_schedule
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits
from echocardmae_mm.utils.errors import UserError

#: From the checkpoint, and from random weights.
PRETRAINED, SCRATCH = STARTS = ('pretrained', 'scratch')
_MIN_PATIENTS = 2


class LabelledRun(NamedTuple):
    """A training on a share of the labels.

    Args:
        share (float): Share of the training patients, as asked for.
        start (str): 'pretrained' or 'scratch'.
        patients (int): Training patients.
        recordings (int): Training samples of these patients.
        epochs (int): Epochs, unless the config stops early.
        iterations (int): Optimiser steps in these epochs.
        step (Step): The step that trains and tests it.
    """

    share: float
    start: str
    patients: int
    recordings: int
    epochs: int
    iterations: int
    step: Step


def run_name(share: float, seed: int, start: str) -> str:
    """Folder of a run below the folder of the study."""
    return f'share_{share:g}/seed_{seed}/{start}'


def labelled_runs(
    config: Config,
    path: str,
    options: Mapping[str, Any],
    samples: Sequence[Mapping[str, Any]],
    shares: Sequence[float],
    seeds: int,
    checkpoints: Sequence[Mapping[str, str]],
) -> list[LabelledRun]:
    """Plan the runs of a study.

    Both starts of a share and a seed train on the same patients for as many steps: the square root
    of the share, times the steps of the whole training set.

    Args:
        config (Config): The fine-tuning, after ``options``.
        path (str): Path of the config.
        options (Mapping[str, Any]): Settings of every run.
        samples (Sequence[Mapping]): The training set in its order, with ``patient`` and, for a
            classification, ``label``.
        shares (Sequence[float]): Shares of the training patients, in (0, 1].
        seeds (int): Number of seeds, from 0.
        checkpoints (Sequence[Mapping[str, str]]): One for all seeds, or one for each: the
            checkpoint of each part of the model that loads one, by the key of its ``init_cfg``.

    Returns:
        list[LabelledRun]: By share, seed and start.

    Raises:
        UserError: If two shares give the same number of patients.
    """
    patients = [str(sample['patient']) for sample in samples]
    labels = [sample.get('label') for sample in samples]
    counts = _patient_counts(shares, len(set(patients)), len(set(labels)))
    keys = list(checkpoints[0])
    inside = tuple(f'{key}.' for key in keys)
    scratch = {
        **{key: value for key, value in options.items() if not key.startswith(inside)},
        **dict.fromkeys(keys),
    }
    runs = []
    for share, count in counts.items():
        for seed in range(seeds):
            files = checkpoints[seed % len(checkpoints)]
            pretrained = {**options, **{f'{key}.checkpoint': files[key] for key in keys}}
            starts = {PRETRAINED: pretrained, SCRATCH: scratch}
            chosen = set(patient_order(patients, labels, seed)[:count])
            indices = [index for index, patient in enumerate(patients) if patient in chosen]
            settings, epochs, iterations = _schedule(config, len(indices), len(samples))
            if len(indices) < len(samples):
                settings['train_dataloader.dataset.indices'] = indices
            for start in STARTS:
                step = Step(
                    run_name(share, seed, start),
                    'finetuning',
                    path,
                    {**starts[start], **settings},
                    seed,
                )
                size = (count, len(indices), epochs, iterations)
                runs.append(LabelledRun(share, start, *size, step))
    return runs


def patient_order(patients: Sequence[str], labels: Sequence[int | None], seed: int) -> list[str]:
    """Draw the order in which patients get their labels: a smaller share is part of a larger one.

    One patient of each class comes first, because a classifier needs them all.

    Args:
        patients (Sequence[str]): Patient of each sample.
        labels (Sequence[int | None]): Class of each sample; None without classes.
        seed (int): Seed of the draw.

    Returns:
        list[str]: Each patient once. The order does not depend on that of the samples.
    """
    names = np.unique(np.asarray(patients, str))
    bits = random_bits(RngKey(seed, 0, 0), RngStream.LABELLED_PATIENT, len(names))
    order = names[np.argsort(bits, kind='stable')].tolist()
    classes: dict[str, set[int | None]] = {}
    for patient, label in zip(patients, labels):
        classes.setdefault(patient, set()).add(label)
    first: list[str] = []
    seen: set[int | None] = set()
    for patient in order:
        if classes[patient] - seen:
            first.append(patient)
            seen |= classes[patient]
    return [*first, *(patient for patient in order if patient not in first)]


def _patient_counts(shares: Sequence[float], patients: int, classes: int) -> dict[float, int]:
    least = min(patients, max(_MIN_PATIENTS, classes))
    counts = {share: max(least, round(share * patients)) for share in sorted(set(shares))}
    for smaller, larger in zip(list(counts), list(counts)[1:]):
        if counts[smaller] == counts[larger]:
            raise UserError(
                f'{smaller:g} and {larger:g} of {patients} training patients are both '
                f'{counts[larger]} patients\nLeave one of these shares out: --shares ...'
            )
    return counts


def _schedule(config: Config, samples: int, whole: int) -> tuple[dict[str, Any], int, int]:
    """Settings of a training on some of the samples, its epochs and its steps."""
    batch_size = config.train_dataloader.batch_size
    max_epochs = config.train_cfg.max_epochs
    all_iterations = max_epochs * _batches(config, whole)
    batches = _batches(config, samples)
    epochs = max(1, round(math.sqrt(samples / whole) * all_iterations / batches))
    iterations = epochs * batches
    settings = scaled_schedule(config, epochs / max_epochs, iterations / all_iterations)
    if batch_size > samples:
        settings['train_dataloader.batch_size'] = samples
    return settings, epochs, iterations


def _batches(config: Config, samples: int) -> int:
    """Batches of an epoch; a batch is at most the whole training set."""
    loader = config.train_dataloader
    batches = samples / min(loader.batch_size, samples)
    return math.floor(batches) if loader.get('drop_last') else math.ceil(batches)
