"""The command ``rate-phantoms``."""


def test_a_written_set_is_rated(command, tmp_path):
    sizes = ('--videos', '4', '--jobs', '1', '--datasets', 'echonet')
    assert command('phantoms', '--out', tmp_path, *sizes).returncode == 0
    rated = command('rate-phantoms', tmp_path)
    assert rated.returncode == 0, rated.stderr
    values = dict(line.rsplit('  ', 1) for line in rated.stdout.strip().splitlines()[-5:])
    assert {key.strip() for key in values} >= {'videos', 'Dice of the mean mask'}


def test_a_folder_without_truth_costs_one_line(command, tmp_path):
    rated = command('rate-phantoms', tmp_path)
    assert rated.returncode == 1
    assert 'echocardmae phantoms' in rated.stderr
    assert len(rated.stderr.strip().splitlines()) == 1


def test_a_list_of_an_earlier_version_costs_one_line(command, tmp_path):
    (tmp_path / 'truth').mkdir()
    (tmp_path / 'truth' / 'EchoNet-Dynamic.csv').write_text('name,dirt\na,large\n')
    rated = command('rate-phantoms', tmp_path)
    assert rated.returncode == 1
    assert 'has no column anomaly; remove the folder, and make it with' in rated.stderr
    assert len(rated.stderr.strip().splitlines()) == 1
