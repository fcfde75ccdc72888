package dev.apus.core;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.core.chat.Message;
import dev.apus.core.chat.ToolCall;
import dev.apus.core.file.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A conversation in a file.
 *
 * @param written the guarded text that the session beside it stands for
 */
record ChatFile(List<Message> messages, String written) {

  /** What the name of the session's file ends in. */
  static final String STATE = ".state";

  private static final ObjectMapper JSON = new ObjectMapper();

  static Path state(Path file) {
    return file.resolveSibling(file.getFileName() + STATE);
  }

  static void write(Path file, ChatFile chat, Session session) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode turns = root.putArray("messages");
    for (Message message : chat.messages) {
      ObjectNode turn = turns.addObject().put("role", message.role());
      turn.put("content", message.content());
      if (!message.reasoning().isEmpty()) {
        turn.put("reasoning", message.reasoning());
      }
      message.calls().forEach(call -> put(call, turn.withArray("calls").addObject()));
      if (message.answers() != null) {
        put(message.answers(), turn.putObject("answers"));
      }
    }
    root.put("written", chat.written);
    byte[] json = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    session.save(state(file));
    AtomicFile.write(file, out -> out.write(ByteBuffer.wrap(json)));
  }

  static ChatFile read(Path file) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": is no conversation: " + e.getOriginalMessage(), e);
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : root.path("messages")) {
      List<ToolCall> calls = new ArrayList<>();
      for (JsonNode call : turn.path("calls")) {
        calls.add(call(file, call));
      }
      messages.add(
          new Message(
              text(file, turn, "role"),
              text(file, turn, "content"),
              turn.has("reasoning") ? text(file, turn, "reasoning") : "",
              calls,
              turn.has("answers") ? call(file, turn.get("answers")) : null));
    }
    return new ChatFile(messages, text(file, root, "written"));
  }

  private static void put(ToolCall call, ObjectNode node) {
    node.put("id", call.id()).put("name", call.name()).put("arguments", call.arguments());
  }

  private static ToolCall call(Path file, JsonNode node) throws IOException {
    return new ToolCall(
        text(file, node, "id"), text(file, node, "name"), text(file, node, "arguments"));
  }

  private static String text(Path file, JsonNode node, String key) throws IOException {
    if (!node.path(key).isTextual()) {
      throw new IOException(file + ": is no conversation; needed: a text under \"" + key + "\"");
    }
    return node.get(key).textValue();
  }
}
