package dev.apus.core.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.core.text.TextList;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A {@code tokenizer.json} in memory: small sections as trees, vocabulary and merges as plain lists
 * since they have hundreds of thousands of entries.
 *
 * @param root everything but the model
 * @param model the model without vocabulary and merges
 * @param merges left and right parts, one pair after the other
 */
record TokenizerFile(Section root, Section model, List<Piece> pieces, List<String> merges) {

  /** One entry of a model's vocabulary; the score is 0 where the model has none. */
  record Piece(String text, int id, double score) {}

  static final int LARGEST_BYTES = 256 << 20;

  private static final int DEEPEST = 64;

  static TokenizerFile parse(String name, byte[] json) {
    return new Reading(name).file(json);
  }

  /** Parses a small file, such as {@code tokenizer_config.json}, as one section. */
  static Section parseSection(String name, byte[] json) {
    Reading reading = new Reading(name);
    return reading.guarded(
        json,
        parser -> {
          parser.nextToken();
          ObjectNode tree = reading.tree(parser);
          reading.expectEnd(parser);
          return new Section(name, "", tree);
        });
  }

  /** One pass over the bytes of a file. */
  private static final class Reading {

    private final String name;
    private final JsonFactory factory =
        JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(DEEPEST)
                    .maxStringLength(LARGEST_BYTES)
                    .maxDocumentLength(LARGEST_BYTES)
                    .build())
            .build();
    private final List<Piece> pieces = new ArrayList<>();
    private final List<String> merges = new TextList();
    private ObjectNode model;

    Reading(String name) {
      this.name = name;
    }

    TokenizerFile file(byte[] json) {
      return guarded(
          json,
          parser -> {
            ObjectNode root = JsonNodes.MAKER.objectNode();
            expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "an object");
            while (parser.nextToken() != JsonToken.END_OBJECT) {
              String key = parser.currentName();
              parser.nextToken();
              if (key.equals("model")) {
                model(parser);
              } else {
                root.set(key, JsonNodes.read(parser));
              }
            }
            expectEnd(parser);
            if (model == null) {
              throw new TokenizerException(name + ": model is missing");
            }
            return new TokenizerFile(
                new Section(name, "", root), new Section(name, "model", model), pieces, merges);
          });
    }

    private void model(JsonParser parser) throws IOException {
      expect(parser, parser.currentToken(), JsonToken.START_OBJECT, "an object for model");
      model = JsonNodes.MAKER.objectNode();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        JsonToken token = parser.nextToken();
        switch (key) {
          case "vocab" -> vocabulary(parser, token);
          case "merges" -> merges(parser, token);
          default -> model.set(key, JsonNodes.read(parser));
        }
      }
    }

    private void vocabulary(JsonParser parser, JsonToken token) throws IOException {
      if (token == JsonToken.START_ARRAY) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          scored(parser);
        }
        return;
      }
      expect(parser, token, JsonToken.START_OBJECT, "an object or an array for model.vocab");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String text = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
          throw here(parser, "an integer id for " + Vocabulary.quoted(text));
        }
        long id =
            parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? Long.MAX_VALUE
                : parser.getLongValue();
        if (id < 0 || id > Vocabulary.LARGEST_ID) {
          throw new TokenizerException(
              String.format(
                  Locale.ROOT,
                  "%s: model.vocab[%s] is %s; needed: an id from 0 to %d",
                  name,
                  Vocabulary.quoted(text),
                  parser.getText(),
                  Vocabulary.LARGEST_ID));
        }
        pieces.add(new Piece(text, (int) id, 0));
      }
    }

    private void scored(JsonParser parser) throws IOException {
      String needed = "a pair [token, score] in model.vocab";
      expect(parser, parser.currentToken(), JsonToken.START_ARRAY, needed);
      expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, needed);
      String text = parser.getText();
      if (!parser.nextToken().isNumeric()) {
        throw here(parser, needed);
      }
      double score = parser.getDoubleValue();
      expect(parser, parser.nextToken(), JsonToken.END_ARRAY, needed);
      pieces.add(new Piece(text, pieces.size(), score));
    }

    private void merges(JsonParser parser, JsonToken token) throws IOException {
      expect(parser, token, JsonToken.START_ARRAY, "an array for model.merges");
      String needed = "\"left right\" or [left, right] in model.merges";
      while ((token = parser.nextToken()) != JsonToken.END_ARRAY) {
        if (token == JsonToken.VALUE_STRING) {
          Merges.addPair(name, merges, parser.getText());
        } else {
          expect(parser, token, JsonToken.START_ARRAY, needed);
          for (int side = 0; side < 2; side++) {
            expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, needed);
            merges.add(parser.getText());
          }
          expect(parser, parser.nextToken(), JsonToken.END_ARRAY, needed);
        }
      }
    }

    private ObjectNode tree(JsonParser parser) throws IOException {
      expect(parser, parser.currentToken(), JsonToken.START_OBJECT, "an object");
      return JsonNodes.object(parser);
    }

    private void expect(JsonParser parser, JsonToken found, JsonToken token, String needed) {
      if (found != token) {
        throw here(parser, needed);
      }
    }

    private void expectEnd(JsonParser parser) throws IOException {
      if (parser.nextToken() != null) {
        throw here(parser, "nothing after the last brace");
      }
    }

    private TokenizerException here(JsonParser parser, String needed) {
      var at = parser.currentTokenLocation();
      return new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: line %d, column %d holds %s; needed: %s",
              name,
              at.getLineNr(),
              at.getColumnNr(),
              parser.hasCurrentToken() ? parser.currentToken() : "nothing",
              needed));
    }

    private <T> T guarded(byte[] json, Pass<T> pass) {
      if (json.length > LARGEST_BYTES) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: %d bytes; at most %d are read",
                name,
                json.length,
                LARGEST_BYTES));
      }
      try (JsonParser parser = factory.createParser(json)) {
        return read(parser, pass);
      } catch (IOException e) {
        throw new TokenizerException(name + ": " + e.getMessage(), e);
      }
    }

    private <T> T read(JsonParser parser, Pass<T> pass) throws IOException {
      try {
        return pass.over(parser);
      } catch (JsonProcessingException e) {
        var at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: line %d, column %d: %s",
                name,
                at.getLineNr(),
                at.getColumnNr(),
                e.getOriginalMessage()),
            e);
      }
    }
  }

  private interface Pass<T> {
    T over(JsonParser parser) throws IOException;
  }
}
