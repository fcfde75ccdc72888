package dev.apus.core.chat;

/** A part of an answer, or a piece of one as it comes. */
public sealed interface Part {

  /** What is said to the user. */
  record Text(String text) implements Part {}

  /** What the model thinks before it speaks, without the marks around it. */
  record Reasoning(String text) implements Part {}

  /** A tool that the model wants used; it comes as a whole. */
  record Call(ToolCall call) implements Part {}
}
