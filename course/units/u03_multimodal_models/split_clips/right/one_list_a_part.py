def split_clips(clips, test_speakers, test_sentences):
    def part(held_out):
        return [
            {"text": clip["text"], "waveform": clip["waveform"], "label": clip["label"]}
            for clip in clips
            if (clip["speaker"] in test_speakers) == held_out
            if (clip["sentence"] in test_sentences) == held_out
        ]

    return part(False), part(True)
