"""A data set of one's own needs few lines, and its patients can be cross-validated."""

from pathlib import Path

import pytest

from echocardmae_mm.datasets.cross_validated_dataset import CrossValidatedDataset
from echocardmae_mm.datasets.csv_table import read_table
from echocardmae_mm.utils.errors import UserError


class HospitalDataset(CrossValidatedDataset):
    """Recordings of list.csv with the columns ``video``, ``patient`` and ``ef``."""

    def load_data_list(self) -> list[dict]:
        root = Path(self.data_root)
        rows = read_table(root / 'list.csv', ('video', 'patient', 'ef')).to_dict('records')
        chosen = self.select_patients([row['patient'] for row in rows])
        return [
            {**row, 'filename': str(root / row['video']), 'ef': float(row['ef'])}
            for row in rows
            if row['patient'] in chosen
        ]


@pytest.fixture
def root(tmp_path, make_video) -> str:
    lines = ['video,patient,ef']
    for number in range(6):
        make_video(tmp_path / f'{number}.avi', 20, seed=number)
        lines.append(f'{number}.avi,p{number // 2},{50 + number}')
    (tmp_path / 'list.csv').write_text('\n'.join(lines))
    return str(tmp_path)


def patients(root: str, **options) -> list[str]:
    dataset = HospitalDataset(data_root=root, **options)
    return [dataset.get_data_info(index)['patient'] for index in range(len(dataset))]


def test_it_reads_clips(root):
    pipeline = [
        dict(type='echocardmae_mm.RecordingInit'),
        dict(type='echocardmae_mm.SampleRandomClips', num_clips=1, clip_len=4, frame_interval=2),
        dict(type='echocardmae_mm.RecordingDecode'),
    ]
    sample = HospitalDataset(data_root=root, pipeline=pipeline)[0]
    assert len(sample['imgs']) == 4


def test_all_recordings_of_a_patient_are_in_one_split(root, tmp_path):
    assert patients(root) == ['p0', 'p0', 'p1', 'p1', 'p2', 'p2']
    assert patients(root, fold=1, split='test', num_folds=3) == ['p1', 'p1']
    assert patients(root, fold=1, split='train', num_folds=3) == ['p0', 'p0', 'p2', 'p2']
    folds = tmp_path / 'folds.csv'
    folds.write_text('patient,fold\np0,1\np1,0\np2,1\n')
    assert patients(root, fold=0, split='test', fold_file=str(folds)) == ['p1', 'p1']


def test_fold_and_split_go_together(root):
    with pytest.raises(UserError, match='HospitalDataset: fold and split go together'):
        HospitalDataset(data_root=root, fold=1)
