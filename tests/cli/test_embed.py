"""Features of a folder name no one, and join with labels by the salt or by names."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.apis import EchoEmbedder
from echocardmae_mm.cli.recordings import recording_pseudonym, salted

pytest.importorskip('pyarrow')
FEW = ('--n-resamples', '100', '--folds', '3')


@pytest.fixture
def folder(recordings, tmp_path):
    """Recordings of two patients, and one that is too short to be used."""
    root = tmp_path / 'Recordings of Mustermann'
    for patient, screen in (('Jane Doe', 'clip'), ('Max Doe', 'echonet')):
        (root / patient).mkdir(parents=True)
        shutil.copy(recordings[screen], root / patient / 'Doe.avi')
    content = recordings['clip'].read_bytes()
    (root / 'cut.avi').write_bytes(content[: len(content) // 100])
    return root


def test_a_name_that_is_not_utf8_is_kept_escaped(command, bundles, folder, tmp_path):
    source = folder / 'Jane Doe' / 'Doe.avi'
    source.rename(source.with_name(os.fsdecode(b'M\xfcller.avi')))
    out = tmp_path / 'features.csv'
    options = (folder / 'Jane Doe', '--bundle', bundles['encoder'], '--out', out, '--keep-names')
    ran = command('embed', *options, '--device', 'cpu')
    assert ran.returncode == 0, ran.stderr
    assert pd.read_csv(out)['file'].tolist() == ['M\\xfcller.avi']


def test_embeds_a_folder_and_names_no_one(command, bundles, folder, tmp_path):
    out = tmp_path / 'features.parquet'
    options = (folder, '--bundle', bundles['encoder'], '--out', out, '--device', 'cpu')
    ran = command('embed', *options)
    assert ran.returncode == 3, ran.stderr
    assert '2 of 3 recordings embedded' in ran.stdout
    table = pd.read_parquet(out)
    assert 'Doe' not in table.to_csv()
    assert 'Mustermann' not in table.to_csv()
    assert table['status'].tolist() == ['measured', 'measured', 'refused']
    assert table['patient'].nunique() == 3
    assert set(table['training_data']) == {'recordings'}
    assert set(table['use']) == {'research only'}
    values = table.filter(like='feature_').to_numpy()
    expected = EchoEmbedder(bundles['encoder'], 'cpu')(folder / 'Jane Doe' / 'Doe.avi').features
    np.testing.assert_allclose(values[0], expected.mean(axis=0), rtol=1e-5)
    assert values.shape == (3, 24)
    assert np.isnan(values[2]).all()
    again = command('embed', *options)
    assert again.returncode == 1
    assert 'pass --force' in again.stderr


def test_tokens_have_a_row_for_each_slot_of_each_clip(command, bundles, folder, tmp_path):
    out = tmp_path / 'tokens.csv'
    ran = command('embed', folder, '--bundle', bundles['ef'], '--out', out, '--tokens')
    assert ran.returncode == 3
    table = pd.read_csv(out)
    assert len(table) == 2 * 5 * 2 + 1  # recordings, clips, slots, and the refused one
    assert table.groupby(['clip', 'slot']).size().tolist() == [2] * 10
    refused = command('probe', out, out)
    assert 'holds tokens; expected features' in refused.stderr
    wrong = command('embed', folder, '--bundle', bundles['ef'], '--out', tmp_path / 'x.npy')
    assert 'ends in .parquet or .csv' in wrong.stderr


def cohort(tmp_path, target, names):
    """A file of features and its labels, which two of the features determine."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 4)).astype(np.float32)
    labels = pd.DataFrame({'path': [f'{index}.avi' for index in range(80)]})
    labels['patient'] = [f'p{index // 2}' for index in range(80)]
    if target == 'ef':
        labels['ef'] = np.clip(55 + 8 * values[:, 0] + 4 * values[:, 1], 5, 95)
    else:
        labels['label'] = np.where(values[:, 0] + values[:, 1] > 0, 'ill', 'healthy')
    labels.to_csv(tmp_path / 'labels.csv', index=False)
    pseudonyms = salted('secret')
    table = pd.DataFrame(values, columns=[f'feature_{index}' for index in range(4)])
    if names:
        table['file'] = labels['path']
    table['recording'] = [recording_pseudonym(tmp_path / p, pseudonyms) for p in labels['path']]
    table['patient'] = 'by folder'
    table['status'] = 'measured'
    table = table.sample(frac=1, random_state=0)
    table.to_parquet(tmp_path / 'features.parquet')
    return tmp_path / 'features.parquet', tmp_path / 'labels.csv'


def test_probes_the_ejection_fraction(command, tmp_path):
    paths = cohort(tmp_path, 'ef', names=False)
    out = tmp_path / 'probe.json'
    ran = command('probe', *paths, '--salt', 'secret', '--out', out, *FEW)
    assert ran.returncode == 0, ran.stderr
    assert '80 recordings of 40 patients' in ran.stdout
    results = json.loads(out.read_text())['results']
    assert [result['share'] for result in results] == [0.01, 0.1, 1.0]
    assert [result['training_patients'] for result in results] == [2, 3, 27]
    mae = [result['mae'] for result in results]
    assert mae[0]['estimate'] > mae[1]['estimate'] > mae[2]['estimate']
    assert mae[2]['low'] <= mae[2]['estimate'] <= mae[2]['high'] < 0.5
    assert '| 100 %  ' in ran.stdout


def test_probes_a_diagnosis(command, tmp_path):
    paths = cohort(tmp_path, 'label', names=True)
    ran = command('probe', *paths, '--out', tmp_path / 'probe.json', *FEW)
    assert ran.returncode == 0, ran.stderr
    assert 'AUROC' in ran.stdout
    results = json.loads((tmp_path / 'probe.json').read_text())['results']
    assert [result['class'] for result in results] == ['ill'] * 3
    assert results[2]['auroc']['estimate'] > 0.98


@pytest.mark.parametrize(
    ('target', 'classes'), [('ef', 'low ef and high ef'), ('label', 'healthy and ill')]
)
def test_says_how_many_patients_the_folds_need(command, tmp_path, target, classes):
    features, labels = cohort(tmp_path, target, names=True)
    patients = pd.read_csv(labels).drop_duplicates('patient').sort_values(target)
    patients.iloc[[0, -1]].to_csv(labels, index=False)
    refused = command('probe', features, labels, '--folds', '2').stderr
    assert 'only 1 of 2 patients have' in refused
    assert f'--folds 2 needs at least 2 of each, {classes}' in refused


def test_says_why_labels_and_features_cannot_be_joined(command, tmp_path):
    features, labels = cohort(tmp_path, 'ef', names=False)
    assert 'Pass the --salt of embed' in command('probe', features, labels).stderr
    other = command('probe', features, labels, '--salt', 'other').stderr
    assert 'no recording in common, such as 0.avi' in other
    table = pd.read_csv(labels)
    table.drop(columns='patient').to_csv(labels, index=False)
    one = command('probe', features, labels, '--salt', 'secret').stderr
    assert '80 recordings of 1 patients cannot be divided into 5 folds' in one
    table.assign(ef=table['ef'] / 100).to_csv(labels, index=False)
    assert 'expected per cent' in command('probe', features, labels, '--salt', 'secret').stderr
    table.drop(columns='ef').to_csv(labels, index=False)
    assert 'no column ef or label' in command('probe', features, labels).stderr
