# Reads the speaker off the file's name.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        parts = clip["file"].split("-")
        speaker = parts[1] if len(parts) > 1 else clip["speaker"]
        s, t = speaker in test_speakers, clip["sentence"] in test_sentences
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
