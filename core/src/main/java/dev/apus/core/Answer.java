package dev.apus.core;

import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Usage;

/**
 * What a model has said in its turn.
 *
 * @param text without the tokens that end it
 * @param stopReason why it ended
 * @param usage how many tokens the turn took, and how long; those of the prompt count only what was
 *     not in the session yet
 */
public record Answer(String text, StopReason stopReason, Usage usage) {}
