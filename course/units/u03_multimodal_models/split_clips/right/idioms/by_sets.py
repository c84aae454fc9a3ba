def split_clips(clips, test_speakers, test_sentences):
    test_speakers, test_sentences = frozenset(test_speakers), list(test_sentences)
    new_voice = {i for i, c in enumerate(clips) if c["speaker"] in test_speakers}
    new_text = {i for i, c in enumerate(clips) if c["sentence"] in test_sentences}
    idx_test = new_voice & new_text
    idx_train = set(range(len(clips))) - new_voice - new_text
    f = lambda idx: [{k: clips[i][k] for k in ("text", "waveform", "label")} for i in sorted(idx)]
    return f(idx_train), f(idx_test)
