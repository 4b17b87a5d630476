package resources

import "fmt"

// extension decides on the extension: the one that is asked for, or one that
// usher chooses (AutoExtension).
func (s *calling) extension() error {
	text := s.in.Wish.Extension
	if text == "" {
		return s.anyExtension()
	}
	if err := checkExtension(text, s.place.Country); err != nil {
		return s.issueOf(CodeExtensionInvalid, "extension", err)
	}
	free, err := s.freeExtension(text)
	if err != nil {
		return err
	}
	if !free {
		s.issue(CodeExtensionInUse, "extension", "The extension %s is assigned to somebody else at the location %s; choose another one.", text, quoted(s.place.Name))
		s.waitIn(extensionLine(s.place.ID, text))
		return nil
	}
	s.giveExtension(text)
	if s.after.Number == "" {
		s.after.Temporary = s.before.Temporary && s.has(text)
		if s.in.Wish.Temporary != nil {
			s.after.Temporary = *s.in.Wish.Temporary
		}
	}
	return nil
}

// has reports whether the user has an extension of the location already.
func (s *calling) has(extension string) bool {
	return s.before.Location == s.place.ID && s.before.Extension == extension
}

func (s *calling) giveExtension(text string) {
	s.after.Extension = text
	s.k.drawnIn(s.tx).extensions[placeXT(s.place.ID, text)] = s.in.User
}

// freeExtension reports whether the user can have an extension of the location,
// as far as is known: the commit finds out. What a refused commit taught is
// looked at again, and the commit then depends on it.
func (s *calling) freeExtension(text string) (bool, error) {
	if s.has(text) {
		return true, nil
	}
	key := placeXT(s.place.ID, text)
	if other(s.k.drawnIn(s.tx).extensions, key, s.in.User) {
		return false, nil
	}
	holder, known := s.k.taken[key]
	switch {
	case !known || holder == s.in.User:
		return true, nil
	case s.k.tired(): // it changes hands too quickly: the user waits and is looked at again
		s.recheck = true
		return false, nil
	}
	rec, err := s.tx.Read(KindUser, holder)
	if err != nil || rec == nil {
		return rec == nil, err
	}
	c := StandingOf(rec).Calling
	return c == nil || c.Location != s.place.ID || c.Extension != text, nil
}

// anyExtension decides for who asks for no extension. One that usher chose stays,
// and one that was asked for until now when usher would choose one anyway. The
// first choice are the last digits of the number (BR-194); who has no number gets
// a temporary one (BR-193).
func (s *calling) anyExtension() error {
	auto := s.p.Settings.AutoExtension
	keep := s.before.Extension != "" && s.before.Location == s.place.ID && (auto || s.before.ChosenX)
	switch {
	case keep && checkExtension(s.before.Extension, s.place.Country) == nil:
		s.giveExtension(s.before.Extension)
	case !auto:
		return nil
	default:
		text, err := s.nextExtension()
		if err != nil {
			return err
		}
		if text == "" {
			s.issue(CodeExtensionInUse, "extension", "No extension of %d digits is free at the location %s; make extensions longer there.", s.p.extensionLength(s.place), quoted(s.place.Name))
			s.waitIn(placeLine(s.place.ID))
			return nil
		}
		s.giveExtension(text)
	}
	s.after.ChosenX, s.after.Temporary = true, s.after.Number == ""
	return nil
}

// nextExtension gives the recommended extension, or the next free one; "" when
// all are taken.
func (s *calling) nextExtension() (string, error) {
	first := padded(0, s.p.extensionLength(s.place))
	if s.after.Number != "" {
		first = recommended(s.after.Number, len(first))
	} else {
		first = s.d.vacancies.first(s.in.Caller.Org, s.place.ID, first)
	}
	given := s.k.drawnIn(s.tx).extensions
	text, err := s.d.seekExtension(s.ctx, s.in.Caller.Org, s.place, first, func(list []string) string {
		free := list[:0:0]
		for _, x := range list {
			if _, known := s.k.taken[placeXT(s.place.ID, x)]; !known && !other(given, placeXT(s.place.ID, x), s.in.User) {
				free = append(free, x)
			}
		}
		switch {
		case len(free) == 0:
			return ""
		case s.k.lessons == 0:
			return free[0]
		}
		return free[s.spread(len(free))] // others choose at the same time, not the same
	})
	if err == nil && text != "" && s.after.Number == "" {
		s.d.vacancies.note(s.in.Caller.Org, s.place.ID, text)
	}
	if err != nil {
		return "", fmt.Errorf("find a free extension: %w", err)
	}
	return text, nil
}
