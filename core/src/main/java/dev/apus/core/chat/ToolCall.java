package dev.apus.core.chat;

/**
 * A model's wish that a tool be used.
 *
 * @param id by which the result is told from others
 * @param name the tool's, as the model wrote it
 * @param arguments a JSON object, as the model wrote it; nobody has checked it against the schema
 */
public record ToolCall(String id, String name, String arguments) {}
