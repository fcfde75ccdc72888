package dev.apus.structure;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.chat.AnswerForm;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes a grammar of a form of answers.
 *
 * @param wanted the grammar of what is wanted; null if nothing is
 */
record AnswerGrammar(AnswerForm form, Function<Alphabet, Node> wanted) {

  private static final ObjectMapper JSON = new ObjectMapper();

  Node node(Alphabet alphabet) {
    return new Making(alphabet, new JsonText(alphabet.characters()), new HashMap<>()).node(form);
  }

  /** The grammar for a vocabulary; what occurs twice is made once. */
  private final class Making {

    private final Alphabet alphabet;
    private final JsonText json;
    private final Map<AnswerForm, Node> known;

    Making(Alphabet alphabet, JsonText json, Map<AnswerForm, Node> known) {
      this.alphabet = alphabet;
      this.json = json;
      this.known = known;
    }

    Node node(AnswerForm form) {
      return switch (form) {
        case AnswerForm.Text text -> alphabet.text(text.text());
        case AnswerForm.Matching matching -> matching(matching.expression());
        case AnswerForm.Json schema -> once(schema, () -> json(schema));
        case AnswerForm.Members members -> once(members, () -> members(members));
        case AnswerForm.Wanted _ -> wanted();
        case AnswerForm.Sequence sequence -> Nodes.sequence(nodes(sequence.parts()));
        case AnswerForm.Choice choice -> Nodes.choice(nodes(choice.alternatives()));
        case AnswerForm.Repeated repeated -> Nodes.repeat(node(repeated.body()), 0, Node.UNBOUNDED);
        case AnswerForm.Free free -> free(free);
      };
    }

    private Node once(AnswerForm form, Supplier<Node> making) {
      Node made = known.get(form);
      if (made == null) {
        made = making.get();
        known.put(form, made);
      }
      return made;
    }

    private List<Node> nodes(List<AnswerForm> forms) {
      return forms.stream().map(this::node).toList();
    }

    private Node matching(String expression) {
      String name = "the expression " + expression;
      Regex regex = RegexParser.parse(name, expression, false);
      return Structure.node(regex, name, alphabet.characters());
    }

    private Node json(AnswerForm.Json form) {
      return made(form.name(), form.schema(), schema -> SchemaGrammar.of(schema, json));
    }

    private Node members(AnswerForm.Members form) {
      JsonText text =
          form.spelling().python()
              ? new JsonText(alphabet.characters(), JsonText.Words.PYTHON)
              : json;
      return made(
          form.name(),
          form.schema(),
          schema ->
              SchemaGrammar.members(
                  schema, text, values -> new ArgumentWriting(form, alphabet, this::node, values)));
    }

    private static Node made(String name, String schema, Function<JsonNode, Node> making) {
      try {
        return making.apply(JSON.readTree(schema));
      } catch (JsonProcessingException e) {
        throw new StructureException(
            name + ": its schema is not JSON: " + e.getOriginalMessage(), e);
      } catch (StructureException e) {
        throw new StructureException(name + ": " + e.getMessage(), e);
      }
    }

    private Node wanted() {
      if (wanted == null) {
        throw new StructureException("the answer is to have a form, and none is given");
      }
      return wanted.apply(alphabet);
    }

    private Node free(AnswerForm.Free free) {
      FreeText text = new FreeText(free.open());
      free.within().forEach((mark, then) -> add(mark, bytes -> text.within(bytes, node(then))));
      free.last().forEach((mark, then) -> add(mark, bytes -> text.last(bytes, node(then))));
      return text.node(free.notFirst());
    }

    /** Adds a mark, unless no text can hold it. */
    private void add(String mark, Consumer<byte[]> place) {
      byte[] bytes = alphabet.spelled(mark);
      if (bytes != null) {
        place.accept(bytes);
      }
    }
  }
}
