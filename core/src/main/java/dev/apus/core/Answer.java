package dev.apus.core;

import dev.apus.core.chat.Part;
import dev.apus.core.chat.ToolCall;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a model has said in its turn.
 *
 * @param parts in the order in which they came, without the marks around them
 * @param stopReason why it ended
 * @param usage how many tokens the turn took, and how long; those of the prompt count only what was
 *     not in the session yet
 */
public record Answer(List<Part> parts, StopReason stopReason, Usage usage) {

  public Answer {
    parts = joined(parts);
  }

  /** What was said to the user, without the tokens that end it. */
  public String text() {
    String text =
        parts.stream()
            .map(part -> part instanceof Part.Text said ? said.text() : "")
            .collect(Collectors.joining());
    return calls().isEmpty() ? text : text.stripTrailing();
  }

  /** What the model thought; empty if nothing. */
  public String reasoning() {
    return parts.stream()
        .map(part -> part instanceof Part.Reasoning thought ? thought.text() : "")
        .collect(Collectors.joining())
        .strip();
  }

  /** The tools that the model wants used, in its order; their results are the next turn. */
  public List<ToolCall> calls() {
    return parts.stream()
        .filter(Part.Call.class::isInstance)
        .map(part -> ((Part.Call) part).call())
        .toList();
  }

  private static List<Part> joined(List<Part> pieces) {
    List<Part> parts = new ArrayList<>();
    for (Part piece : pieces) {
      Part last = parts.isEmpty() ? null : parts.getLast();
      if (last instanceof Part.Text before && piece instanceof Part.Text more) {
        parts.set(parts.size() - 1, new Part.Text(before.text() + more.text()));
      } else if (last instanceof Part.Reasoning before && piece instanceof Part.Reasoning more) {
        parts.set(parts.size() - 1, new Part.Reasoning(before.text() + more.text()));
      } else {
        parts.add(piece);
      }
    }
    return List.copyOf(parts);
  }
}
