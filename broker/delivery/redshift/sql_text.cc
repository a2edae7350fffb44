// A scanner that knows words, quotes and comments, and nothing else.
#include "broker/delivery/redshift/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "broker/delivery/secret_provider.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

enum class TokenKind { kSpace, kWord, kLiteral, kIdentifier, kComment, kOther };

struct Token {
  TokenKind kind = TokenKind::kOther;
  std::string_view text;
  bool ends = true;  // false: a quote or a comment without its end
};

bool IsSpace(char c) { return std::string_view(" \t\r\n\f\v").contains(c); }
bool IsWordPart(char c) { return protocol::IsLetterOrDigit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

/// Behind the quote that ends what begins with one; npos where there is none. Two quotes stand for one.
std::size_t EndOfQuoted(std::string_view sql) {
  const char quote = sql.front();
  for (std::size_t i = 1; i < sql.size(); ++i) {
    if (sql[i] != quote) continue;
    if (i + 1 == sql.size() || sql[i + 1] != quote) return i + 1;
    ++i;
  }
  return sql.npos;
}

Token Quoted(std::string_view sql, TokenKind kind) {
  const std::size_t end = EndOfQuoted(sql);
  return {kind, sql.substr(0, end), end != sql.npos};
}

template <typename Is>
Token While(std::string_view sql, TokenKind kind, Is is) {
  const auto end = std::ranges::find_if_not(sql, is);
  return {kind, sql.substr(0, static_cast<std::size_t>(end - sql.begin()))};
}

/// The first token of `sql`, which is not empty.
Token NextToken(std::string_view sql) {
  if (sql.front() == '\'') return Quoted(sql, TokenKind::kLiteral);
  if (sql.front() == '"') return Quoted(sql, TokenKind::kIdentifier);
  if (sql.starts_with("--")) return {TokenKind::kComment, sql.substr(0, sql.find('\n')), sql.contains('\n')};
  if (sql.starts_with("/*")) {
    const std::size_t end = sql.find("*/");
    return {TokenKind::kComment, sql.substr(0, end == sql.npos ? end : end + 2), end != sql.npos};
  }
  if (IsSpace(sql.front())) return While(sql, TokenKind::kSpace, IsSpace);
  if (IsWordPart(sql.front())) return While(sql, TokenKind::kWord, IsWordPart);
  return {TokenKind::kOther, sql.substr(0, 1)};
}

/// Takes the first token off `sql`; nullopt at its end.
std::optional<Token> Take(std::string_view& sql) {
  if (sql.empty()) return std::nullopt;
  const Token token = NextToken(sql);
  sql.remove_prefix(token.text.size());
  return token;
}

/// Whose literal is a secret.
bool NamesCredential(std::string_view word) {
  constexpr std::array<std::string_view, 5> kWords = {"credentials", "access_key_id", "secret_access_key",
                                                      "session_token", "master_symmetric_key"};
  return std::ranges::find(kWords, protocol::Lower(word)) != kWords.end();
}

/// `take` is told whether the token is a secret.
template <typename Taker>
void ForEachToken(std::string_view sql, Taker take) {
  bool secret = false;  // the next literal is one
  while (const std::optional<Token> token = Take(sql)) {
    if (token->kind == TokenKind::kWord) {
      secret = NamesCredential(token->text) || (secret && protocol::Lower(token->text) == "as");
    } else if (token->kind == TokenKind::kOther) {
      secret = false;
    }
    const bool hidden = secret && token->kind == TokenKind::kLiteral;
    take(*token, hidden);
    secret = secret && !hidden;
  }
}

}  // namespace

std::string SqlLiteral(std::string_view value) {
  std::string literal = "'";
  for (const char c : value) literal.append(c == '\'' ? 2 : 1, c);
  return literal + "'";
}

bool HasSqlWord(std::string_view sql, std::string_view word) {
  const std::string wanted = protocol::Lower(word);
  while (const std::optional<Token> token = Take(sql)) {
    if (token->kind == TokenKind::kWord && protocol::Lower(token->text) == wanted) return true;
  }
  return false;
}

std::string SqlPartProblem(std::string_view sql) {
  sql = TrimmedSql(sql);
  while (const std::optional<Token> token = Take(sql)) {
    if (!token->ends && token->kind == TokenKind::kComment) return "has a comment that does not end";
    if (!token->ends) return fmt::format("has a {} without its end", token->text.front());
    if (token->text == ";") return "has a ';' in it: it is a part of one statement";
    if (token->text.contains('\0')) return "has a zero byte in it";
  }
  return "";
}

std::string_view TrimmedSql(std::string_view sql) {
  while (!sql.empty() && IsSpace(sql.front())) sql.remove_prefix(1);
  while (!sql.empty() && (IsSpace(sql.back()) || sql.back() == ';')) sql.remove_suffix(1);
  return sql;
}

std::string WithoutCredentials(std::string_view sql) {
  std::string told;
  ForEachToken(sql, [&](const Token& token, bool secret) { told += secret ? "'***'" : token.text; });
  return told;
}

std::string WithoutCredentialsOf(std::string_view sql, std::string message) {
  ForEachToken(sql, [&](const Token& token, bool secret) {
    if (!secret || token.text.size() <= 2) return;
    message = WithoutSecret(std::move(message), token.text.substr(1, token.text.size() - 2));
  });
  return message;
}

}  // namespace sluice::delivery
