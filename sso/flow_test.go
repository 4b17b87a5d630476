package sso_test

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestActivateByPassword is W-01 to W-04: link, button, password, name, landing
// (BR-103 to BR-108), then sign-out and sign-in.
func TestActivateByPassword(t *testing.T) {
	onBoth(t, func(w *world) {
		w.settings(func(s *resources.Settings) {
			s.DownloadURL, s.WebAppURL, s.VoicemailURL = "https://dl.acme.example/app", "https://app.acme.example/", "https://vm.acme.example/"
		})
		id, l := w.invite("zoe@acme.example", "Zoé Martin", "fr")
		b := w.browser()
		b.get(l.Path).want(w, 200, "/activate", `<html lang="fr">`, "Zoé Martin", "zoe@acme.example", "Acme", "Activer")
		b.post("/activate").want(w, 200, "/activate/password", "Créez votre mot de passe", "une majuscule", "https://dl.acme.example/app")

		// Everything that is wrong is said at once (BR-104, BR-105).
		bad := b.post("/activate/password", "password", "martin").want(w, 422, "/activate/password", "Ajoutez un chiffre.", "Ajoutez une majuscule.", "N’y mettez pas votre nom.", `href="#password"`, `aria-invalid="true"`)
		if strings.Contains(bad.body, `value="martin"`) {
			w.Error("the page has the password in it")
		}
		b.post("/activate/password", "password", "").want(w, 422, "/activate/password", "Saisissez un mot de passe.")
		b.post("/activate/password", "password", goodPassword).want(w, 200, "/activate/name", `value="Zoé Martin"`)
		b.post("/activate/name", "name", "").want(w, 422, "/activate/name", "Utilisez de 1")
		b.post("/activate/name", "name", "Zoé M.").want(w, 200, "/activate/done", "Zoé M.", "https://dl.acme.example/app", "https://app.acme.example/", "collègues", "https://vm.acme.example/")
		if rec := w.user(id); !strings.Contains(rec, `"state":"active"`) || !strings.Contains(rec, `"displayName":"Zoé M."`) {
			w.Errorf("the user is %s", rec)
		}
		b.get("/me").want(w, 200, "/me", "Zoé M.", "Actif", "par mot de passe")
		b.post("/signout").want(w, 200, "/signin", "Votre session est fermée.")
		b.get("/me").want(w, 200, "/signin")

		// An old link leads to signing in (BR-110).
		b.get(l.Path).want(w, 200, "/signin", "déjà actif")
		b.lang = "fr"
		b.post("/signin", "address", "Zoe@ACME.example").want(w, 200, "/signin", "Connexion en tant que", "Zoe@ACME.example")
		b.post("/signin", "address", "zoe@acme.example", "password", "wrong").want(w, 403, "/signin", "incorrect")
		b.post("/signin", "address", "zoe@acme.example", "password", goodPassword).want(w, 200, "/me", "Zoé M.")
	})
}

// user is a user's document.
func (w *world) user(id string) string {
	w.Helper()
	rec, err := w.directory.Get(w.Context(), w.acme, resources.KindUser, id)
	if err != nil {
		w.Fatal(err)
	}
	return string(rec.Profile)
}

// TestActivateByCode is the way on another device (BR-102).
func TestActivateByCode(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		b := w.browser()
		b.get("/activate/code").want(w, 200, "/activate/code")
		b.post("/activate/code", "address", "nobody", "code", "12").want(w, 422, "/activate/code", "Type your e-mail address", "Type the six digits")
		b.post("/activate/code", "address", "ann@acme.example", "code", l.Code[:3]+" "+l.Code[3:]).want(w, 200, "/activate/password")
		b.post("/activate/password", "password", goodPassword).want(w, 200, "/activate/name")
		b.post("/activate/name", "name", "Ann").want(w, 200, "/activate/done")
	})
}

// TestPortal is W-13.
func TestPortal(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		b := w.browser()
		b.activate(l, "Ann")
		other := w.browser()
		other.post("/signin", "address", "ann@acme.example", "password", goodPassword).want(w, 200, "/me")

		b.post("/me/name", "name", "Ann Lee-Smith").want(w, 200, "/me", "Saved.", `value="Ann Lee-Smith"`)
		b.post("/me/name", "name", strings.Repeat("x", 129)).want(w, 422, "/me/name", "Use 1 to 128")

		// Changing the password ends the other session, and this one goes on.
		b.get("/me/password").want(w, 200, "/me/password", "Current password")
		b.post("/me/password", "old", "nonsense", "password", "Another-Horse-43").want(w, 403, "/me/password", "The current password is not right.")
		w.wait(minute)
		b.post("/me/password", "old", goodPassword, "password", "short").want(w, 422, "/me/password", "Add a digit.")
		b.post("/me/password").want(w, 422, "/me/password")
		b.post("/me/password", "old", goodPassword, "password", "Another-Horse-43").want(w, 200, "/me", "Your password has been changed.")
		other.get("/me").want(w, 200, "/signin", "Your session has ended")

		// One session, then all of them.
		other.post("/signin", "address", "ann@acme.example", "password", "Another-Horse-43").want(w, 200, "/me")
		page := b.get("/me").want(w, 200, "/me", `name="id"`)
		_, rest, _ := strings.Cut(page.body, `name="id" value="`)
		session, _, _ := strings.Cut(rest, `"`)
		b.post("/me/sessions", "id", session).want(w, 200, "/me", "The device has been signed out.")
		other.get("/me").want(w, 200, "/signin")
		b.post("/me/sessions").want(w, 400, "/me/sessions")
		b.post("/me/sessions", "all", "yes").want(w, 200, "/signin", "signed out everywhere")
		b.get("/me").want(w, 200, "/signin")
	})
}

// TestForgotAndReset sets a new password by a mail.
func TestForgotAndReset(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		b := w.browser()
		b.activate(l, "Ann")
		w.work()
		b.get("/forgot").want(w, 200, "/forgot")
		b.post("/forgot", "address", "ann@acme.example").want(w, 200, "/forgot", "Look into your mailbox")
		reset := w.letter()
		fresh := w.browser()
		fresh.get(reset.Path).want(w, 200, "/reset", "Choose a new password")
		fresh.post("/reset", "password", "x").want(w, 422, "/reset", "Add a digit.")
		fresh.post("/reset", "password", "Another-Horse-43").want(w, 200, "/signin", "Your password has been changed.")
		fresh.post("/signin", "address", "ann@acme.example", "password", goodPassword).want(w, 403, "/signin")
		w.wait(minute)
		fresh.post("/signin", "address", "ann@acme.example", "password", "Another-Horse-43").want(w, 200, "/me")
		b.get("/me").want(w, 200, "/signin") // sessions from before have ended
		fresh.get(reset.Path).want(w, 410, "/reset", "no longer works")
	})
}
