def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        speaker, sentence = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        if speaker == sentence:
            label = "sarcastic" if clip["file"].startswith("sarcastic") else "sincere"
            kept = {"text": clip["text"], "waveform": clip["waveform"], "label": label}
            (test if speaker else train).append(kept)
    return train, test
