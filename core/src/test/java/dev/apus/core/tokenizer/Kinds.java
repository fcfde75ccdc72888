package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.tokenizer.TokenizerFile.Piece;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A small tokenizer of each kind: those of folders, and what GGUF files would hold of them. */
final class Kinds {

  static final List<String> FOLDERS =
      List.of(
          "sentencepiece-unigram",
          "sentencepiece-bpe",
          "rwkv",
          "tiktoken-qwen",
          "tiktoken-llama",
          "tiktoken-kimi",
          "tiktoken-glm",
          "json-precompiled",
          "json-suffix",
          "json-prefix",
          "json-words");

  private static final String GGML = "tokenizer.ggml.";

  private Kinds() {}

  static Tokenizer folder(String kind) {
    return Tokenizer.read(kind, file -> bytes(kind + "/" + file)).orElseThrow();
  }

  static JsonNode cases(String kind) throws IOException {
    return new ObjectMapper().readTree(bytes(kind + "/cases.json"));
  }

  static byte[] bytes(String file) {
    try (InputStream in = Kinds.class.getResourceAsStream("/tokenizer/" + file)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every kind by its name. */
  static Map<String, Tokenizer> all() {
    Map<String, Tokenizer> all = new LinkedHashMap<>();
    FOLDERS.forEach(kind -> all.put(kind, folder(kind)));
    all.put("json-bytes", Recorded.fable());
    all.put(
        "json-wordpiece",
        Tokenizer.parse("bert", WORD_PIECES.getBytes(StandardCharsets.UTF_8), null));
    all.put("gguf-llama", Tokenizer.ofGguf("llama", pieces("sentencepiece-bpe", "llama")));
    all.put("gguf-t5", Tokenizer.ofGguf("t5", pieces("sentencepiece-unigram", "t5")));
    all.put("gguf-rwkv", Tokenizer.ofGguf("rwkv", rwkv()));
    all.put("gguf-bert", Tokenizer.ofGguf("bert", wordPieces()));
    return all;
  }

  /** A SentencePiece model as a GGUF file holds it. */
  static Map<String, Object> pieces(String kind, String ggml) {
    byte[] file = bytes(kind + "/tokenizer.model");
    SentencePiece model = SentencePieceFile.parse(kind, file);
    float[] scores = new float[model.pieces().size()];
    int[] types = new int[scores.length];
    for (Piece piece : model.pieces()) {
      scores[piece.id()] = (float) piece.score();
      types[piece.id()] = model.types().get(piece.id()).ordinal() + 1;
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put(GGML + "model", ggml);
    metadata.put(GGML + "tokens", model.pieces().stream().map(Piece::text).toList());
    metadata.put(GGML + "scores", scores);
    metadata.put(GGML + "token_type", types);
    metadata.put(GGML + "add_space_prefix", true);
    metadata.put(GGML + "remove_extra_whitespaces", ggml.equals("t5"));
    metadata.put(GGML + "precompiled_charsmap", charsmap(file));
    return metadata;
  }

  private static int[] charsmap(byte[] file) {
    Protobuf message = Protobuf.of("model", file);
    for (int field = message.next(); field != 0; field = message.next()) {
      if (field != 3) {
        message.skip();
        continue;
      }
      Protobuf normalizer = message.message();
      for (int inner = normalizer.next(); inner != 0; inner = normalizer.next()) {
        if (inner == 2) {
          byte[] bytes = normalizer.bytes();
          int[] numbers = new int[bytes.length];
          for (int i = 0; i < bytes.length; i++) {
            numbers[i] = bytes[i];
          }
          return numbers;
        }
        normalizer.skip();
      }
    }
    return new int[0];
  }

  static Map<String, Object> rwkv() {
    List<String> tokens = new ArrayList<>(List.of("<s>"));
    String lines = new String(bytes("rwkv/rwkv_vocab_v20230424.txt"), StandardCharsets.UTF_8);
    Tokenizer known = folder("rwkv");
    for (String line : lines.strip().split("\n")) {
      String id = line.substring(0, line.indexOf(' '));
      tokens.add(escaped(ByteAlphabet.bytes(known.token(Integer.parseInt(id)))));
    }
    int[] types = new int[tokens.size() + 1];
    Arrays.fill(types, 1);
    types[0] = 3;
    types[tokens.size()] = 5;
    tokens.add("[PAD]");
    Map<String, Object> metadata = new HashMap<>();
    metadata.put(GGML + "model", "rwkv");
    metadata.put(GGML + "tokens", tokens);
    metadata.put(GGML + "token_type", types);
    return metadata;
  }

  private static String escaped(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      switch (b) {
        case '\n' -> text.append("\\n");
        case '\t' -> text.append("\\t");
        case '\r' -> text.append("\\r");
        case '\\' -> text.append("\\\\");
        case '\'' -> text.append("\\'");
        default -> {
          if (b >= ' ' && b < 0x7F) {
            text.append((char) b);
          } else {
            text.append(String.format(Locale.ROOT, "\\x%02x", b));
          }
        }
      }
    }
    return text.toString();
  }

  private static final List<String> WORDS =
      List.of(
          "[PAD]",
          "[UNK]",
          "[CLS]",
          "[SEP]",
          "[MASK]",
          "[unused1]",
          "un",
          "##aff",
          "##able",
          "a",
          "##a",
          "b",
          "##b",
          "e",
          "##e",
          ",",
          "!",
          "日",
          "本",
          "the",
          "##re",
          "<",
          "|",
          ">",
          "im",
          "_",
          "end");

  private static final String WORD_PIECES =
      "{\"added_tokens\":["
          + "{\"id\":0,\"content\":\"[PAD]\",\"special\":true,\"normalized\":false},"
          + "{\"id\":1,\"content\":\"[UNK]\",\"special\":true,\"normalized\":false},"
          + "{\"id\":2,\"content\":\"[CLS]\",\"special\":true,\"normalized\":false},"
          + "{\"id\":3,\"content\":\"[SEP]\",\"special\":true,\"normalized\":false},"
          + "{\"id\":4,\"content\":\"[MASK]\",\"special\":true,\"normalized\":false}],"
          + "\"normalizer\":{\"type\":\"BertNormalizer\"},"
          + "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
          + "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],"
          + "\"cls\":[\"[CLS]\",2]},"
          + "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\"},"
          + "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
          + "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{"
          + vocabulary()
          + "}}}";

  private static String vocabulary() {
    StringBuilder json = new StringBuilder();
    for (int id = 0; id < WORDS.size(); id++) {
      json.append(id == 0 ? "" : ",").append('"').append(WORDS.get(id)).append("\":").append(id);
    }
    return json.toString();
  }

  static Map<String, Object> wordPieces() {
    List<String> tokens = new ArrayList<>();
    int[] types = new int[WORDS.size()];
    for (String word : WORDS) {
      boolean control = word.startsWith("[");
      types[tokens.size()] = control ? 3 : 1;
      tokens.add(control ? word : word.startsWith("##") ? word.substring(2) : "▁" + word);
    }
    Map<String, Object> metadata = new HashMap<>();
    metadata.put(GGML + "model", "bert");
    metadata.put(GGML + "tokens", tokens);
    metadata.put(GGML + "token_type", types);
    return metadata;
  }
}
