package resources

import (
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// tells reports whether the end of a job of the type is news to who asked for it;
// the others follow from changes by themselves.
func (t JobType) tells() bool {
	switch t {
	case JobApplyTemplate, JobRetry, JobRelease, JobImportNumbers, JobReport, JobActivationMails:
		return true
	}
	return false
}

// mailEnded writes to the user who asked for a job that it has ended (E-18), in
// the commit of the end. Jobs of callers that stand for nobody tell nobody.
func (d *Directory) mailEnded(tx Tx, j *Job) error {
	if j.For == "" || !j.Type.tells() || j.State == JobCancelled {
		return nil
	}
	rec, err := tx.Read(KindUser, j.For)
	if err != nil || rec == nil {
		return err
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	u := UserOf(&doc)
	if u.IdentityKey == "" || u.Inactive {
		return nil
	}
	return d.queueMail(tx, &Mail{
		Template: MailJobDone, User: rec.ID, To: u.Identity, Trigger: TriggerSystem, Job: j.ID,
		Data: MailData{Job: &MailJob{ID: j.ID, Type: string(j.Type), State: string(j.State), Done: j.Done, Failed: j.Failed}},
	})
}
