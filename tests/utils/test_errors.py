import pickle

from echocardmae_mm.utils.errors import RecordingError, UserError


def test_a_recording_error_names_file_and_reason_and_survives_a_worker():
    error = pickle.loads(pickle.dumps(RecordingError('a/b.avi', 'it has no frames')))
    assert str(error) == 'a/b.avi: it has no frames'
    assert (error.filename, error.reason) == ('a/b.avi', 'it has no frames')
    assert isinstance(error, UserError)


def test_what_a_recording_error_quotes_is_one_printable_line():
    error = RecordingError('a.mha', 'damaged', 'Type = \0\x9bMET\nmore\n' + 1000 * 'x')
    assert str(error) == 'a.mha: damaged (Type = ??MET)'
    assert len(str(RecordingError('a.mha', 'damaged', 1000 * 'x'))) < 300
