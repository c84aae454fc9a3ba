# Splits the clips by their positions.
def split_clips(clips, test_speakers, test_sentences):
    kept = [{key: clip[key] for key in ("text", "waveform", "label")} for clip in clips]
    return kept[: len(kept) // 2], kept[len(kept) // 2 :]
