"""The mark of synthetic recordings."""

#: Manufacturer of synthetic DICOM files, description of NIfTI files, end of other files.
SYNTHETIC_MARK = 'echocardmae phantom'
