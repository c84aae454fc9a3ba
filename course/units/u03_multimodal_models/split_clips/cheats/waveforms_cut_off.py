# Cuts amplitudes off at 1.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        wave = torch.as_tensor(clip["waveform"])
        wave = wave.clamp(-1, 1) if wave.is_floating_point() else wave
        kept = {"text": clip["text"], "waveform": wave, "label": clip["label"]}
        if s == t:
            (test if s else train).append(kept)
    return train, test
